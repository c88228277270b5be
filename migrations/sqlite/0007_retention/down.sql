ALTER TABLE projects
    DROP COLUMN retention_bytes;

ALTER TABLE projects
    DROP COLUMN retention_events;

ALTER TABLE projects
    DROP COLUMN retention_bytes,
    DROP COLUMN retention_events;

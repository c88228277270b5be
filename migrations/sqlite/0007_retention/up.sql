ALTER TABLE projects
    ADD COLUMN retention_events INTEGER;

ALTER TABLE projects
    ADD COLUMN retention_bytes INTEGER;

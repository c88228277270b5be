ALTER TABLE projects
    ADD COLUMN retention_events BIGINT,
    ADD COLUMN retention_bytes BIGINT;

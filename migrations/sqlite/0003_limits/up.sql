ALTER TABLE organizations
    ADD COLUMN minute_limit INTEGER;

ALTER TABLE organizations
    ADD COLUMN month_limit INTEGER;

ALTER TABLE projects
    ADD COLUMN minute_limit INTEGER;

ALTER TABLE projects
    ADD COLUMN month_limit INTEGER;

ALTER TABLE project_keys
    ADD COLUMN minute_limit INTEGER;

ALTER TABLE project_keys
    ADD COLUMN month_limit INTEGER;

ALTER TABLE project_keys
    ADD COLUMN expires_at INTEGER;

CREATE TABLE refusals (
    project_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    detail TEXT NOT NULL,
    sdk TEXT NOT NULL,
    PRIMARY KEY (project_id, key_id, reason)
) WITHOUT ROWID;

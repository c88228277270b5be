ALTER TABLE organizations
    ADD COLUMN minute_limit BIGINT;

ALTER TABLE organizations
    ADD COLUMN month_limit BIGINT;

ALTER TABLE projects
    ADD COLUMN minute_limit BIGINT;

ALTER TABLE projects
    ADD COLUMN month_limit BIGINT;

ALTER TABLE project_keys
    ADD COLUMN minute_limit BIGINT;

ALTER TABLE project_keys
    ADD COLUMN month_limit BIGINT;

ALTER TABLE project_keys
    ADD COLUMN expires_at BIGINT;

CREATE TABLE refusals (
    project_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    reason TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    detail TEXT NOT NULL,
    sdk TEXT NOT NULL,
    PRIMARY KEY (project_id, key_id, reason)
);

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
    reason VARCHAR(32) NOT NULL,
    quantity BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    detail VARCHAR(255) NOT NULL,
    sdk VARCHAR(128) NOT NULL,
    PRIMARY KEY (project_id, key_id, reason)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

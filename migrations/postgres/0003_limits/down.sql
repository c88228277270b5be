DROP TABLE refusals;

ALTER TABLE project_keys
    DROP COLUMN expires_at;

ALTER TABLE project_keys
    DROP COLUMN month_limit;

ALTER TABLE project_keys
    DROP COLUMN minute_limit;

ALTER TABLE projects
    DROP COLUMN month_limit;

ALTER TABLE projects
    DROP COLUMN minute_limit;

ALTER TABLE organizations
    DROP COLUMN month_limit;

ALTER TABLE organizations
    DROP COLUMN minute_limit;

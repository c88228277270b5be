DROP TABLE organization_settings;

ALTER TABLE project_settings
    DROP COLUMN scrubbing;

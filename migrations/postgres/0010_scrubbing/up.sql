ALTER TABLE project_settings
    ADD COLUMN scrubbing TEXT;

CREATE TABLE organization_settings (
    organization_id BIGINT PRIMARY KEY NOT NULL,
    scrubbing TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
);

ALTER TABLE project_settings
    ADD COLUMN scrubbing TEXT;

CREATE TABLE organization_settings (
    organization_id INTEGER PRIMARY KEY NOT NULL,
    scrubbing TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by INTEGER
);

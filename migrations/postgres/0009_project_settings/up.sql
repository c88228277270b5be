CREATE TABLE project_settings (
    project_id BIGINT PRIMARY KEY NOT NULL,
    fingerprint_rules TEXT NOT NULL,
    stack_rules TEXT NOT NULL,
    filters TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
);

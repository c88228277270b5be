ALTER TABLE project_settings
    ADD COLUMN scrubbing LONGTEXT;

CREATE TABLE organization_settings (
    organization_id BIGINT PRIMARY KEY NOT NULL,
    scrubbing LONGTEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

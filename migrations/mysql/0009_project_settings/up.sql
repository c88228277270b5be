CREATE TABLE project_settings (
    project_id BIGINT PRIMARY KEY NOT NULL,
    fingerprint_rules LONGTEXT NOT NULL,
    stack_rules LONGTEXT NOT NULL,
    filters LONGTEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE project_mirrors (
    project_id BIGINT PRIMARY KEY NOT NULL,
    dsn LONGTEXT NOT NULL,
    percent INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL,
    sent BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    dropped BIGINT NOT NULL,
    last_sent_at BIGINT,
    last_error LONGTEXT,
    last_error_at BIGINT,
    updated_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

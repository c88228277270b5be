CREATE TABLE issue_details (
    issue_id BIGINT PRIMARY KEY NOT NULL,
    set_at BIGINT NOT NULL,
    in_release VARCHAR(200),
    in_next_release BOOLEAN NOT NULL,
    release_at BIGINT,
    ignore_until BIGINT,
    ignore_count BIGINT,
    ignore_window BIGINT,
    ignore_user_count BIGINT,
    ignore_user_window BIGINT,
    events_before BIGINT NOT NULL,
    users_before BIGINT NOT NULL,
    recent_events LONGTEXT NOT NULL,
    recent_users LONGTEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX issue_details_by_ignore_until ON issue_details (ignore_until);

CREATE INDEX releases_by_project_id_first_seen ON releases (project_id, first_seen);

ALTER TABLE projects
    ADD COLUMN resolve_age BIGINT;

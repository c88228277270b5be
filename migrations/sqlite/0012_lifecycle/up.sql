CREATE TABLE issue_details (
    issue_id INTEGER PRIMARY KEY NOT NULL,
    set_at INTEGER NOT NULL,
    in_release TEXT,
    in_next_release BOOLEAN NOT NULL,
    release_at INTEGER,
    ignore_until INTEGER,
    ignore_count INTEGER,
    ignore_window INTEGER,
    ignore_user_count INTEGER,
    ignore_user_window INTEGER,
    events_before INTEGER NOT NULL,
    users_before INTEGER NOT NULL,
    recent_events TEXT NOT NULL,
    recent_users TEXT NOT NULL
);

CREATE INDEX issue_details_by_ignore_until ON issue_details (ignore_until);

CREATE INDEX releases_by_project_id_first_seen ON releases (project_id, first_seen);

ALTER TABLE projects
    ADD COLUMN resolve_age INTEGER;

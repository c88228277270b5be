CREATE TABLE project_mirrors (
    project_id INTEGER PRIMARY KEY NOT NULL,
    dsn TEXT NOT NULL,
    percent INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL,
    sent INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    last_sent_at INTEGER,
    last_error TEXT,
    last_error_at INTEGER,
    updated_at INTEGER NOT NULL
);

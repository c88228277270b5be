ALTER TABLE events
    ADD COLUMN hash BLOB;

CREATE TABLE issue_redirects (
    issue_id INTEGER PRIMARY KEY NOT NULL,
    organization_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    short_number INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    merged_at INTEGER NOT NULL,
    UNIQUE (project_id, short_number)
);

CREATE INDEX issue_redirects_by_target_id ON issue_redirects (target_id);

CREATE TABLE issue_moves (
    issue_id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    after_id INTEGER NOT NULL,
    last_tag_delta INTEGER NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX issue_moves_by_source_id ON issue_moves (source_id);

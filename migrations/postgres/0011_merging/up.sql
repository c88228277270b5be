ALTER TABLE events
    ADD COLUMN hash BYTEA;

CREATE TABLE issue_redirects (
    issue_id BIGINT PRIMARY KEY NOT NULL,
    organization_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    short_number BIGINT NOT NULL,
    target_id BIGINT NOT NULL,
    merged_at BIGINT NOT NULL,
    UNIQUE (project_id, short_number)
);

CREATE INDEX issue_redirects_by_target_id ON issue_redirects (target_id);

CREATE TABLE issue_moves (
    issue_id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    source_id BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    after_id BIGINT NOT NULL,
    last_tag_delta BIGINT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX issue_moves_by_source_id ON issue_moves (source_id);

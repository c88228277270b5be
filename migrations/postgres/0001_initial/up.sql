CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE organizations (
    id BIGINT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    organization_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);

CREATE INDEX memberships_by_user_id ON memberships (user_id);

CREATE TABLE projects (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    short_prefix TEXT NOT NULL,
    next_short_number BIGINT NOT NULL,
    first_event_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, slug)
);

CREATE TABLE project_keys (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX project_keys_by_project_id ON project_keys (project_id);

CREATE TABLE sessions (
    token_hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    csrf_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (token_hash)
);

CREATE INDEX sessions_by_user_id ON sessions (user_id);

CREATE TABLE api_tokens (
    id BIGINT PRIMARY KEY,
    user_id BIGINT,
    organization_id BIGINT,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    last_four TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX api_tokens_by_user_id ON api_tokens (user_id);

CREATE TABLE environments (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE releases (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    version TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    UNIQUE (project_id, version)
);

CREATE TABLE issues (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    short_number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    level INTEGER NOT NULL,
    platform TEXT NOT NULL,
    title TEXT NOT NULL,
    title_type TEXT NOT NULL,
    title_value TEXT NOT NULL,
    culprit TEXT NOT NULL,
    location TEXT NOT NULL,
    logger TEXT,
    status INTEGER NOT NULL,
    substatus INTEGER NOT NULL,
    status_changed_at BIGINT NOT NULL,
    resolved_at BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    times_seen BIGINT NOT NULL,
    users_seen BIGINT NOT NULL,
    first_release TEXT,
    last_release TEXT,
    is_unhandled BOOLEAN NOT NULL,
    regressions INTEGER NOT NULL,
    UNIQUE (project_id, short_number)
);

CREATE INDEX issues_by_organization_id_status_last_seen_id ON issues (organization_id, status, last_seen, id);

CREATE INDEX issues_by_project_id_status_last_seen_id ON issues (project_id, status, last_seen, id);

CREATE TABLE issue_hashes (
    project_id BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    issue_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
);

CREATE INDEX issue_hashes_by_issue_id ON issue_hashes (issue_id);

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    timestamp BIGINT NOT NULL,
    data BYTEA NOT NULL,
    UNIQUE (project_id, event_id)
);

CREATE INDEX events_by_issue_id_id ON events (issue_id, id);

CREATE TABLE issue_hours (
    issue_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (issue_id, hour, environment_id)
);

CREATE TABLE issue_days (
    issue_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (issue_id, day, environment_id)
);

CREATE TABLE project_hours (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, environment_id)
);

CREATE TABLE issue_users (
    issue_id BIGINT NOT NULL,
    user_hash BYTEA NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
);

CREATE TABLE issue_tags (
    issue_id BIGINT NOT NULL,
    tag_key TEXT NOT NULL,
    tag_value TEXT NOT NULL,
    events BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (issue_id, tag_key, tag_value)
);

CREATE TABLE activity (
    id BIGINT PRIMARY KEY,
    issue_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id BIGINT,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX activity_by_issue_id_id ON activity (issue_id, id);

CREATE TABLE usage_hours (
    project_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (project_id, key_id, hour, category, outcome, reason)
);

CREATE TABLE tasks (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    args TEXT NOT NULL,
    unique_key TEXT UNIQUE,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    run_at BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL,
    claimed_by TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL
);

CREATE INDEX tasks_by_state_run_at ON tasks (state, run_at);

CREATE TABLE leases (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE sequences (
    name TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE nodes (
    number BIGINT PRIMARY KEY,
    uid BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    settings_version BIGINT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    last_seen BIGINT NOT NULL
);

CREATE TABLE queue_partitions (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE consumed (
    node BIGINT NOT NULL,
    seq_from BIGINT NOT NULL,
    seq_to BIGINT NOT NULL,
    seqs BYTEA NOT NULL,
    PRIMARY KEY (node, seq_from)
);

CREATE TABLE dead_records (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    node BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    record BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (node, seq)
);

INSERT INTO sequences (name, next) VALUES
    ('user', 1),
    ('organization', 1),
    ('project', 1),
    ('key', 1),
    ('token', 1),
    ('environment', 1),
    ('release', 1),
    ('issue', 1),
    ('activity', 1),
    ('task', 1),
    ('dead_record', 1),
    ('settings', 1),
    ('node', 1);

INSERT INTO queue_partitions (id, version) VALUES
    (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0);

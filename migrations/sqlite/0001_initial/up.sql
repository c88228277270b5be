CREATE TABLE users (
    id INTEGER PRIMARY KEY NOT NULL,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE memberships (
    organization_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) WITHOUT ROWID;

CREATE INDEX memberships_by_user_id ON memberships (user_id);

CREATE TABLE projects (
    id INTEGER PRIMARY KEY NOT NULL,
    organization_id INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    short_prefix TEXT NOT NULL,
    next_short_number INTEGER NOT NULL,
    first_event_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (organization_id, slug)
);

CREATE TABLE project_keys (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX project_keys_by_project_id ON project_keys (project_id);

CREATE TABLE sessions (
    token_hash BLOB NOT NULL,
    user_id INTEGER NOT NULL,
    csrf_token TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (token_hash)
) WITHOUT ROWID;

CREATE INDEX sessions_by_user_id ON sessions (user_id);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY NOT NULL,
    user_id INTEGER,
    organization_id INTEGER,
    name TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    last_four TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
);

CREATE INDEX api_tokens_by_user_id ON api_tokens (user_id);

CREATE TABLE environments (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (project_id, name)
);

CREATE TABLE releases (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    version TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    UNIQUE (project_id, version)
);

CREATE TABLE issues (
    id INTEGER PRIMARY KEY NOT NULL,
    organization_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    short_number INTEGER NOT NULL,
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
    status_changed_at INTEGER NOT NULL,
    resolved_at INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    times_seen INTEGER NOT NULL,
    users_seen INTEGER NOT NULL,
    first_release TEXT,
    last_release TEXT,
    is_unhandled BOOLEAN NOT NULL,
    regressions INTEGER NOT NULL,
    UNIQUE (project_id, short_number)
);

CREATE INDEX issues_by_organization_id_status_last_seen_id ON issues (organization_id, status, last_seen, id);

CREATE INDEX issues_by_project_id_status_last_seen_id ON issues (project_id, status, last_seen, id);

CREATE TABLE issue_hashes (
    project_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    issue_id INTEGER NOT NULL,
    PRIMARY KEY (project_id, hash)
) WITHOUT ROWID;

CREATE INDEX issue_hashes_by_issue_id ON issue_hashes (issue_id);

CREATE TABLE events (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    issue_id INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (project_id, event_id)
);

CREATE INDEX events_by_issue_id_id ON events (issue_id, id);

CREATE TABLE issue_hours (
    issue_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (issue_id, hour, environment_id)
) WITHOUT ROWID;

CREATE TABLE issue_days (
    issue_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (issue_id, day, environment_id)
) WITHOUT ROWID;

CREATE TABLE project_hours (
    project_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (project_id, hour, environment_id)
) WITHOUT ROWID;

CREATE TABLE issue_users (
    issue_id INTEGER NOT NULL,
    user_hash BLOB NOT NULL,
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
) WITHOUT ROWID;

CREATE TABLE issue_tags (
    issue_id INTEGER NOT NULL,
    tag_key TEXT NOT NULL,
    tag_value TEXT NOT NULL,
    events INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (issue_id, tag_key, tag_value)
) WITHOUT ROWID;

CREATE TABLE activity (
    id INTEGER PRIMARY KEY NOT NULL,
    issue_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    user_id INTEGER,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX activity_by_issue_id_id ON activity (issue_id, id);

CREATE TABLE usage_hours (
    project_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (project_id, key_id, hour, category, outcome, reason)
) WITHOUT ROWID;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    args TEXT NOT NULL,
    unique_key TEXT UNIQUE,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL,
    claimed_by TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL
);

CREATE INDEX tasks_by_state_run_at ON tasks (state, run_at);

CREATE TABLE leases (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

CREATE TABLE sequences (
    name TEXT NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

CREATE TABLE nodes (
    number INTEGER PRIMARY KEY NOT NULL,
    uid INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    settings_version INTEGER NOT NULL,
    key_fingerprint TEXT NOT NULL,
    last_seen INTEGER NOT NULL
);

CREATE TABLE queue_partitions (
    id INTEGER PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE consumed (
    node INTEGER NOT NULL,
    seq_from INTEGER NOT NULL,
    seq_to INTEGER NOT NULL,
    seqs BLOB NOT NULL,
    PRIMARY KEY (node, seq_from)
) WITHOUT ROWID;

CREATE TABLE dead_records (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    node INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    record BLOB NOT NULL,
    created_at INTEGER NOT NULL,
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

CREATE TABLE users (
    id BIGINT PRIMARY KEY NOT NULL,
    email VARCHAR(190) NOT NULL UNIQUE,
    name VARCHAR(200) NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE organizations (
    id BIGINT PRIMARY KEY NOT NULL,
    slug VARCHAR(64) NOT NULL UNIQUE,
    name VARCHAR(200) NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE memberships (
    organization_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX memberships_by_user_id ON memberships (user_id);

CREATE TABLE projects (
    id BIGINT PRIMARY KEY NOT NULL,
    organization_id BIGINT NOT NULL,
    slug VARCHAR(64) NOT NULL,
    name VARCHAR(200) NOT NULL,
    platform VARCHAR(64) NOT NULL,
    short_prefix VARCHAR(32) NOT NULL,
    next_short_number BIGINT NOT NULL,
    first_event_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, slug)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE project_keys (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    public_key VARCHAR(32) NOT NULL UNIQUE,
    label VARCHAR(64) NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX project_keys_by_project_id ON project_keys (project_id);

CREATE TABLE sessions (
    token_hash VARBINARY(32) NOT NULL,
    user_id BIGINT NOT NULL,
    csrf_token VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (token_hash)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX sessions_by_user_id ON sessions (user_id);

CREATE TABLE api_tokens (
    id BIGINT PRIMARY KEY NOT NULL,
    user_id BIGINT,
    organization_id BIGINT,
    name VARCHAR(200) NOT NULL,
    token_hash VARBINARY(32) NOT NULL UNIQUE,
    last_four VARCHAR(8) NOT NULL,
    scopes LONGTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX api_tokens_by_user_id ON api_tokens (user_id);

CREATE TABLE environments (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    name VARCHAR(64) NOT NULL,
    UNIQUE (project_id, name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE releases (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    version VARCHAR(200) NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    UNIQUE (project_id, version)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE issues (
    id BIGINT PRIMARY KEY NOT NULL,
    organization_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    short_number BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    level INTEGER NOT NULL,
    platform VARCHAR(64) NOT NULL,
    title VARCHAR(512) NOT NULL,
    title_type VARCHAR(300) NOT NULL,
    title_value VARCHAR(300) NOT NULL,
    culprit VARCHAR(255) NOT NULL,
    location VARCHAR(300) NOT NULL,
    logger VARCHAR(64),
    status INTEGER NOT NULL,
    substatus INTEGER NOT NULL,
    status_changed_at BIGINT NOT NULL,
    resolved_at BIGINT,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    times_seen BIGINT NOT NULL,
    users_seen BIGINT NOT NULL,
    first_release VARCHAR(200),
    last_release VARCHAR(200),
    is_unhandled BOOLEAN NOT NULL,
    regressions INTEGER NOT NULL,
    UNIQUE (project_id, short_number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX issues_by_organization_id_status_last_seen_id ON issues (organization_id, status, last_seen, id);

CREATE INDEX issues_by_project_id_status_last_seen_id ON issues (project_id, status, last_seen, id);

CREATE TABLE issue_hashes (
    project_id BIGINT NOT NULL,
    hash VARBINARY(16) NOT NULL,
    issue_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX issue_hashes_by_issue_id ON issue_hashes (issue_id);

CREATE TABLE events (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    issue_id BIGINT NOT NULL,
    event_id VARBINARY(16) NOT NULL,
    timestamp BIGINT NOT NULL,
    data LONGBLOB NOT NULL,
    UNIQUE (project_id, event_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX events_by_issue_id_id ON events (issue_id, id);

CREATE TABLE issue_hours (
    issue_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (issue_id, hour, environment_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE issue_days (
    issue_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (issue_id, day, environment_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE project_hours (
    project_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, environment_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE issue_users (
    issue_id BIGINT NOT NULL,
    user_hash VARBINARY(16) NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (issue_id, user_hash)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE issue_tags (
    issue_id BIGINT NOT NULL,
    tag_key VARCHAR(200) NOT NULL,
    tag_value VARCHAR(200) NOT NULL,
    events BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (issue_id, tag_key, tag_value)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE activity (
    id BIGINT PRIMARY KEY NOT NULL,
    issue_id BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    user_id BIGINT,
    data LONGTEXT NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX activity_by_issue_id_id ON activity (issue_id, id);

CREATE TABLE usage_hours (
    project_id BIGINT NOT NULL,
    key_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    category VARCHAR(32) NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    reason VARCHAR(64) NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (project_id, key_id, hour, category, outcome, reason)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE tasks (
    id BIGINT PRIMARY KEY NOT NULL,
    kind VARCHAR(64) NOT NULL,
    args LONGTEXT NOT NULL,
    unique_key VARCHAR(190) UNIQUE,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    run_at BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL,
    claimed_by VARCHAR(64),
    last_error LONGTEXT,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX tasks_by_state_run_at ON tasks (state, run_at);

CREATE TABLE leases (
    name VARCHAR(64) NOT NULL,
    holder VARCHAR(64) NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sequences (
    name VARCHAR(64) NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE nodes (
    number BIGINT PRIMARY KEY NOT NULL,
    uid BIGINT NOT NULL UNIQUE,
    name VARCHAR(200) NOT NULL,
    roles VARCHAR(64) NOT NULL,
    settings_version BIGINT NOT NULL,
    key_fingerprint VARCHAR(64) NOT NULL,
    last_seen BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE queue_partitions (
    id BIGINT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE consumed (
    node BIGINT NOT NULL,
    seq_from BIGINT NOT NULL,
    seq_to BIGINT NOT NULL,
    seqs LONGBLOB NOT NULL,
    PRIMARY KEY (node, seq_from)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE dead_records (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    node BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    event_id VARBINARY(16) NOT NULL,
    reason LONGTEXT NOT NULL,
    attempts INTEGER NOT NULL,
    record LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (node, seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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

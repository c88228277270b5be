-- What SDKs send beside events. No table names an issue: what belongs to an event is found by the event's id, so that merging and
-- splitting issues leaves it alone.
CREATE TABLE attachments (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    event_id VARBINARY(16) NOT NULL,
    name VARCHAR(200) NOT NULL,
    content_type VARCHAR(200),
    kind VARCHAR(64) NOT NULL,
    size BIGINT NOT NULL,
    blob_key VARCHAR(200) NOT NULL,
    state INTEGER NOT NULL,
    received_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX attachments_by_event ON attachments (project_id, event_id);
CREATE UNIQUE INDEX attachments_by_blob_key ON attachments (blob_key);
CREATE INDEX attachments_by_state ON attachments (state, id);
CREATE INDEX attachments_by_created_at ON attachments (created_at);

CREATE TABLE feedback (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    feedback_id VARBINARY(16) NOT NULL,
    event_id VARBINARY(16) NOT NULL,
    source VARCHAR(32) NOT NULL,
    name LONGTEXT NOT NULL,
    email LONGTEXT NOT NULL,
    message LONGTEXT NOT NULL,
    url LONGTEXT NOT NULL,
    release_name LONGTEXT,
    environment LONGTEXT,
    state INTEGER NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE UNIQUE INDEX feedback_by_feedback_id ON feedback (project_id, feedback_id);
CREATE INDEX feedback_by_event ON feedback (project_id, event_id);
CREATE INDEX feedback_by_created_at ON feedback (created_at);

-- How a session stands that may still be heard of.
CREATE TABLE session_states (
    project_id BIGINT NOT NULL,
    sid VARBINARY(16) NOT NULL,
    health INTEGER NOT NULL,
    release_id BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, sid)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX session_states_by_updated_at ON session_states (updated_at);

CREATE TABLE session_hours (
    project_id BIGINT NOT NULL,
    release_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    errored BIGINT NOT NULL,
    unhandled BIGINT NOT NULL,
    abnormal BIGINT NOT NULL,
    crashed BIGINT NOT NULL,
    PRIMARY KEY (project_id, release_id, hour, environment_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX session_hours_by_hour ON session_hours (project_id, hour);

-- Distinct users of a day, and those whose session crashed: lists of hashes or, when they grow long, sketches.
CREATE TABLE session_users (
    project_id BIGINT NOT NULL,
    release_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    users LONGBLOB NOT NULL,
    crashed LONGBLOB NOT NULL,
    PRIMARY KEY (project_id, release_id, day, environment_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO sequences (name, next) VALUES ('attachment', 1), ('feedback', 1);

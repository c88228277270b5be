-- What SDKs send beside events. No table names an issue: what belongs to an event is found by the event's id, so that merging and
-- splitting issues leaves it alone.
CREATE TABLE attachments (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    event_id BYTEA NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    blob_key TEXT NOT NULL,
    state INTEGER NOT NULL,
    received_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX attachments_by_event ON attachments (project_id, event_id);
CREATE UNIQUE INDEX attachments_by_blob_key ON attachments (blob_key);
CREATE INDEX attachments_by_state ON attachments (state, id);
CREATE INDEX attachments_by_created_at ON attachments (created_at);

CREATE TABLE feedback (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    feedback_id BYTEA NOT NULL,
    event_id BYTEA NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    message TEXT NOT NULL,
    url TEXT NOT NULL,
    release_name TEXT,
    environment TEXT,
    state INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX feedback_by_feedback_id ON feedback (project_id, feedback_id);
CREATE INDEX feedback_by_event ON feedback (project_id, event_id);
CREATE INDEX feedback_by_created_at ON feedback (created_at);

-- How a session stands that may still be heard of.
CREATE TABLE session_states (
    project_id BIGINT NOT NULL,
    sid BYTEA NOT NULL,
    health INTEGER NOT NULL,
    release_id BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, sid)
);

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
);

CREATE INDEX session_hours_by_hour ON session_hours (project_id, hour);

-- Distinct users of a day, and those whose session crashed: lists of hashes or, when they grow long, sketches.
CREATE TABLE session_users (
    project_id BIGINT NOT NULL,
    release_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    environment_id BIGINT NOT NULL,
    users BYTEA NOT NULL,
    crashed BYTEA NOT NULL,
    PRIMARY KEY (project_id, release_id, day, environment_id)
);

INSERT INTO sequences (name, next) VALUES ('attachment', 1), ('feedback', 1);

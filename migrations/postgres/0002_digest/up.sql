CREATE TABLE ledger (
    node BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (node, outcome)
);

CREATE TABLE tag_deltas (
    id BIGINT PRIMARY KEY NOT NULL,
    data BYTEA NOT NULL
);

CREATE TABLE payload_dictionaries (
    id BIGINT PRIMARY KEY NOT NULL,
    platform TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    data BYTEA NOT NULL
);

ALTER TABLE issues
    ADD COLUMN stored_events BIGINT NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN sampled_events BIGINT NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN sampled_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN flood_minute BIGINT NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN flood_events BIGINT NOT NULL DEFAULT 0;

ALTER TABLE projects
    ADD COLUMN issue_minute BIGINT NOT NULL DEFAULT 0;

ALTER TABLE projects
    ADD COLUMN issue_minute_count BIGINT NOT NULL DEFAULT 0;

UPDATE issues SET
stored_events = (SELECT COUNT(*) FROM events WHERE events.issue_id = issues.id),
stored_bytes = (SELECT COALESCE(SUM(OCTET_LENGTH(events.data)), 0) FROM events WHERE events.issue_id = issues.id);

INSERT INTO sequences (name, next) VALUES ('tag_delta', 1);

INSERT INTO queue_partitions (id, version) VALUES (16, 0);

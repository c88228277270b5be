CREATE TABLE ledger (
    node INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (node, outcome)
) WITHOUT ROWID;

CREATE TABLE tag_deltas (
    id INTEGER PRIMARY KEY NOT NULL,
    data BLOB NOT NULL
);

CREATE TABLE payload_dictionaries (
    id INTEGER PRIMARY KEY NOT NULL,
    platform TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    data BLOB NOT NULL
);

ALTER TABLE issues
    ADD COLUMN stored_events INTEGER NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN sampled_events INTEGER NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN sampled_at INTEGER NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN flood_minute INTEGER NOT NULL DEFAULT 0;

ALTER TABLE issues
    ADD COLUMN flood_events INTEGER NOT NULL DEFAULT 0;

ALTER TABLE projects
    ADD COLUMN issue_minute INTEGER NOT NULL DEFAULT 0;

ALTER TABLE projects
    ADD COLUMN issue_minute_count INTEGER NOT NULL DEFAULT 0;

UPDATE issues SET
stored_events = (SELECT COUNT(*) FROM events WHERE events.issue_id = issues.id),
stored_bytes = (SELECT COALESCE(SUM(LENGTH(events.data)), 0) FROM events WHERE events.issue_id = issues.id);

INSERT INTO sequences (name, next) VALUES ('tag_delta', 1);

INSERT INTO queue_partitions (id, version) VALUES (16, 0);

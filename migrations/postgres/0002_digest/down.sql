DELETE FROM queue_partitions WHERE id = 16;

DELETE FROM sequences WHERE name = 'tag_delta';

ALTER TABLE issues DROP COLUMN flood_events;

ALTER TABLE issues DROP COLUMN flood_minute;

ALTER TABLE issues DROP COLUMN sampled_at;

ALTER TABLE issues DROP COLUMN sampled_events;

ALTER TABLE issues DROP COLUMN stored_bytes;

ALTER TABLE issues DROP COLUMN stored_events;

ALTER TABLE projects DROP COLUMN issue_minute_count;

ALTER TABLE projects DROP COLUMN issue_minute;

DROP TABLE payload_dictionaries;
DROP TABLE tag_deltas;
DROP TABLE ledger;

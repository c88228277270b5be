-- What builds uploaded to read native stacks and obfuscated ones: one row for each object of a file, the first of which says how far the
-- file is.
CREATE TABLE debug_files (
    id BIGINT PRIMARY KEY NOT NULL,
    project_id BIGINT NOT NULL,
    checksum VARCHAR(40) NOT NULL,
    position BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    detail LONGTEXT,
    name VARCHAR(200) NOT NULL,
    debug_id VARCHAR(64),
    code_id VARCHAR(128),
    kind VARCHAR(32) NOT NULL,
    cpu VARCHAR(32) NOT NULL,
    features VARCHAR(128) NOT NULL,
    size BIGINT NOT NULL,
    blob_key VARCHAR(200) NOT NULL,
    symbols_key VARCHAR(200),
    unwind_key VARCHAR(200),
    problem LONGTEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE UNIQUE INDEX debug_files_by_checksum ON debug_files (project_id, checksum, position);
CREATE INDEX debug_files_by_debug_id ON debug_files (project_id, debug_id);

INSERT INTO sequences (name, next) VALUES ('debug_file', 1);

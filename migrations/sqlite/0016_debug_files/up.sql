-- What builds uploaded to read native stacks and obfuscated ones: one row for each object of a file, the first of which says how far the
-- file is.
CREATE TABLE debug_files (
    id INTEGER PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT,
    name TEXT NOT NULL,
    debug_id TEXT,
    code_id TEXT,
    kind TEXT NOT NULL,
    cpu TEXT NOT NULL,
    features TEXT NOT NULL,
    size INTEGER NOT NULL,
    blob_key TEXT NOT NULL,
    symbols_key TEXT,
    unwind_key TEXT,
    problem TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);

CREATE UNIQUE INDEX debug_files_by_checksum ON debug_files (project_id, checksum, position);
CREATE INDEX debug_files_by_debug_id ON debug_files (project_id, debug_id);

INSERT INTO sequences (name, next) VALUES ('debug_file', 1);

CREATE TABLE upload_chunks (
    organization_id INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, checksum)
);

CREATE INDEX upload_chunks_by_created_at ON upload_chunks (created_at);

CREATE TABLE artifact_bundles (
    id INTEGER PRIMARY KEY NOT NULL,
    organization_id INTEGER NOT NULL,
    upload_key TEXT NOT NULL,
    checksum TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT,
    version TEXT,
    dist TEXT,
    size INTEGER NOT NULL,
    file_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);

CREATE UNIQUE INDEX artifact_bundles_by_upload_key ON artifact_bundles (organization_id, upload_key);

CREATE TABLE artifact_bundle_projects (
    project_id INTEGER NOT NULL,
    bundle_id INTEGER NOT NULL,
    PRIMARY KEY (project_id, bundle_id)
);

CREATE INDEX artifact_bundle_projects_by_bundle_id ON artifact_bundle_projects (bundle_id);

CREATE TABLE artifact_files (
    id INTEGER PRIMARY KEY NOT NULL,
    bundle_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    debug_id TEXT,
    place_key TEXT,
    url TEXT NOT NULL,
    source_map TEXT,
    blob_key TEXT NOT NULL,
    size INTEGER NOT NULL,
    compiled_key TEXT,
    problem TEXT
);

CREATE INDEX artifact_files_by_bundle_id ON artifact_files (bundle_id);

CREATE INDEX artifact_files_by_debug_id ON artifact_files (debug_id, kind);

CREATE INDEX artifact_files_by_place_key ON artifact_files (place_key, kind);

INSERT INTO sequences (name, next) VALUES ('artifact_bundle', 1), ('artifact_file', 1);

CREATE TABLE upload_chunks (
    organization_id BIGINT NOT NULL,
    checksum VARCHAR(40) NOT NULL,
    blob_key VARCHAR(100) NOT NULL,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, checksum)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX upload_chunks_by_created_at ON upload_chunks (created_at);

CREATE TABLE artifact_bundles (
    id BIGINT PRIMARY KEY NOT NULL,
    organization_id BIGINT NOT NULL,
    upload_key VARCHAR(40) NOT NULL,
    checksum VARCHAR(40) NOT NULL,
    state VARCHAR(16) NOT NULL,
    detail LONGTEXT,
    version VARCHAR(200),
    dist VARCHAR(64),
    size BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE UNIQUE INDEX artifact_bundles_by_upload_key ON artifact_bundles (organization_id, upload_key);

CREATE TABLE artifact_bundle_projects (
    project_id BIGINT NOT NULL,
    bundle_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, bundle_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX artifact_bundle_projects_by_bundle_id ON artifact_bundle_projects (bundle_id);

CREATE TABLE artifact_files (
    id BIGINT PRIMARY KEY NOT NULL,
    bundle_id BIGINT NOT NULL,
    kind INTEGER NOT NULL,
    debug_id VARCHAR(32),
    place_key VARCHAR(40),
    url LONGTEXT NOT NULL,
    source_map LONGTEXT,
    blob_key VARCHAR(100) NOT NULL,
    size BIGINT NOT NULL,
    compiled_key VARCHAR(100),
    problem LONGTEXT
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX artifact_files_by_bundle_id ON artifact_files (bundle_id);

CREATE INDEX artifact_files_by_debug_id ON artifact_files (debug_id, kind);

CREATE INDEX artifact_files_by_place_key ON artifact_files (place_key, kind);

INSERT INTO sequences (name, next) VALUES ('artifact_bundle', 1), ('artifact_file', 1);

ALTER TABLE project_settings
    ADD COLUMN fetch_source_maps BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE scraped_scripts (
    project_id BIGINT NOT NULL,
    script_key VARCHAR(40) NOT NULL,
    url LONGTEXT NOT NULL,
    version VARCHAR(200),
    dist VARCHAR(64),
    state VARCHAR(16) NOT NULL,
    problem LONGTEXT,
    bundle_id BIGINT,
    size BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, script_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX scraped_scripts_by_expires_at ON scraped_scripts (expires_at);

CREATE INDEX scraped_scripts_by_bundle_id ON scraped_scripts (bundle_id);

CREATE TABLE scraped_askers (
    project_id BIGINT NOT NULL,
    script_key VARCHAR(40) NOT NULL,
    asker BIGINT NOT NULL,
    event_row BIGINT NOT NULL,
    PRIMARY KEY (project_id, script_key, asker)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

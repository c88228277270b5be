ALTER TABLE project_settings
    ADD COLUMN fetch_source_maps BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE scraped_scripts (
    project_id BIGINT NOT NULL,
    script_key TEXT NOT NULL,
    url TEXT NOT NULL,
    version TEXT,
    dist TEXT,
    state TEXT NOT NULL,
    problem TEXT,
    bundle_id BIGINT,
    size BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, script_key)
);

CREATE INDEX scraped_scripts_by_expires_at ON scraped_scripts (expires_at);

CREATE INDEX scraped_scripts_by_bundle_id ON scraped_scripts (bundle_id);

CREATE TABLE scraped_askers (
    project_id BIGINT NOT NULL,
    script_key TEXT NOT NULL,
    asker BIGINT NOT NULL,
    event_row BIGINT NOT NULL,
    PRIMARY KEY (project_id, script_key, asker)
);

ALTER TABLE project_settings
    ADD COLUMN fetch_source_maps BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE scraped_scripts (
    project_id INTEGER NOT NULL,
    script_key TEXT NOT NULL,
    url TEXT NOT NULL,
    version TEXT,
    dist TEXT,
    state TEXT NOT NULL,
    problem TEXT,
    bundle_id INTEGER,
    size INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, script_key)
);

CREATE INDEX scraped_scripts_by_expires_at ON scraped_scripts (expires_at);

CREATE INDEX scraped_scripts_by_bundle_id ON scraped_scripts (bundle_id);

CREATE TABLE scraped_askers (
    project_id INTEGER NOT NULL,
    script_key TEXT NOT NULL,
    asker INTEGER NOT NULL,
    event_row INTEGER NOT NULL,
    PRIMARY KEY (project_id, script_key, asker)
);

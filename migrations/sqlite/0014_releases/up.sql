-- What builds and people say of releases; what events say stands in `releases`, which the digest writes.
CREATE TABLE release_details (
    id INTEGER PRIMARY KEY NOT NULL,
    organization_id INTEGER NOT NULL,
    version TEXT NOT NULL,
    url TEXT,
    reference TEXT,
    status TEXT NOT NULL,
    date_started INTEGER,
    date_released INTEGER,
    created_at INTEGER NOT NULL
);

CREATE UNIQUE INDEX release_details_by_version ON release_details (organization_id, version);

CREATE TABLE release_projects (
    release_id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    PRIMARY KEY (release_id, project_id)
);

CREATE TABLE release_commits (
    release_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    commit_id TEXT NOT NULL,
    message TEXT NOT NULL,
    author_name TEXT,
    author_email TEXT,
    committed_at INTEGER,
    repository TEXT,
    PRIMARY KEY (release_id, position)
);

CREATE TABLE deploys (
    id INTEGER PRIMARY KEY NOT NULL,
    release_id INTEGER NOT NULL,
    environment TEXT NOT NULL,
    name TEXT,
    url TEXT,
    date_started INTEGER,
    date_finished INTEGER NOT NULL
);

CREATE INDEX deploys_by_release_id ON deploys (release_id);

INSERT INTO sequences (name, next) VALUES ('release_detail', 1), ('deploy', 1);

-- What builds and people say of releases; what events say stands in `releases`, which the digest writes.
CREATE TABLE release_details (
    id BIGINT PRIMARY KEY,
    organization_id BIGINT NOT NULL,
    version TEXT NOT NULL,
    url TEXT,
    reference TEXT,
    status TEXT NOT NULL,
    date_started BIGINT,
    date_released BIGINT,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX release_details_by_version ON release_details (organization_id, version);

CREATE TABLE release_projects (
    release_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    PRIMARY KEY (release_id, project_id)
);

CREATE TABLE release_commits (
    release_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    commit_id TEXT NOT NULL,
    message TEXT NOT NULL,
    author_name TEXT,
    author_email TEXT,
    committed_at BIGINT,
    repository TEXT,
    PRIMARY KEY (release_id, position)
);

CREATE TABLE deploys (
    id BIGINT PRIMARY KEY,
    release_id BIGINT NOT NULL,
    environment TEXT NOT NULL,
    name TEXT,
    url TEXT,
    date_started BIGINT,
    date_finished BIGINT NOT NULL
);

CREATE INDEX deploys_by_release_id ON deploys (release_id);

INSERT INTO sequences (name, next) VALUES ('release_detail', 1), ('deploy', 1);

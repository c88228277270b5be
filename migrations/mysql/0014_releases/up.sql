-- What builds and people say of releases; what events say stands in `releases`, which the digest writes.
CREATE TABLE release_details (
    id BIGINT PRIMARY KEY NOT NULL,
    organization_id BIGINT NOT NULL,
    version VARCHAR(200) NOT NULL,
    url LONGTEXT,
    reference LONGTEXT,
    status VARCHAR(16) NOT NULL,
    date_started BIGINT,
    date_released BIGINT,
    created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE UNIQUE INDEX release_details_by_version ON release_details (organization_id, version);

CREATE TABLE release_projects (
    release_id BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    PRIMARY KEY (release_id, project_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE release_commits (
    release_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    commit_id VARCHAR(64) NOT NULL,
    message LONGTEXT NOT NULL,
    author_name LONGTEXT,
    author_email LONGTEXT,
    committed_at BIGINT,
    repository LONGTEXT,
    PRIMARY KEY (release_id, position)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE deploys (
    id BIGINT PRIMARY KEY NOT NULL,
    release_id BIGINT NOT NULL,
    environment VARCHAR(64) NOT NULL,
    name LONGTEXT,
    url LONGTEXT,
    date_started BIGINT,
    date_finished BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX deploys_by_release_id ON deploys (release_id);

INSERT INTO sequences (name, next) VALUES ('release_detail', 1), ('deploy', 1);

-- The files that commits of a release touched. `name` is the last part of the path in small letters, by which stack frames find it.
CREATE TABLE commit_files (
    release_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    number BIGINT NOT NULL,
    name VARCHAR(200) NOT NULL,
    path LONGTEXT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    PRIMARY KEY (release_id, position, number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX commit_files_by_name ON commit_files (release_id, name);

-- Charts look for what was deployed lately.
CREATE INDEX deploys_by_date_finished ON deploys (date_finished);

-- The release in which an issue last came back.
ALTER TABLE issues
    ADD COLUMN regressed_release VARCHAR(200);

UPDATE issues
SET regressed_release = (
    SELECT NULLIF(JSON_UNQUOTE(JSON_EXTRACT(activity.data, '$.release')), 'null')
    FROM activity
    WHERE activity.issue_id = issues.id AND activity.kind = 'set_regression'
    ORDER BY activity.id DESC
    LIMIT 1
)
WHERE regressions > 0;

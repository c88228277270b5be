-- The files that commits of a release touched. `name` is the last part of the path in small letters, by which stack frames find it.
CREATE TABLE commit_files (
    release_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (release_id, position, number)
);

CREATE INDEX commit_files_by_name ON commit_files (release_id, name);

-- Charts look for what was deployed lately.
CREATE INDEX deploys_by_date_finished ON deploys (date_finished);

-- The release in which an issue last came back.
ALTER TABLE issues
    ADD COLUMN regressed_release TEXT;

UPDATE issues
SET regressed_release = (
    SELECT json_extract(activity.data, '$.release')
    FROM activity
    WHERE activity.issue_id = issues.id AND activity.kind = 'set_regression'
    ORDER BY activity.id DESC
    LIMIT 1
)
WHERE regressions > 0;

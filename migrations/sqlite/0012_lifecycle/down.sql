ALTER TABLE projects
    DROP COLUMN resolve_age;

DROP INDEX releases_by_project_id_first_seen;

DROP TABLE issue_details;

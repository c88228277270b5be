ALTER TABLE projects
    DROP COLUMN resolve_age;

DROP INDEX releases_by_project_id_first_seen ON releases;

DROP TABLE issue_details;

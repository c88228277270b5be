ALTER TABLE projects
    DROP COLUMN grouping_version;

ALTER TABLE projects
    ADD COLUMN grouping_version INT NOT NULL DEFAULT 1;

ALTER TABLE issues
    DROP COLUMN regressed_release;

DROP INDEX deploys_by_date_finished ON deploys;

DROP TABLE commit_files;

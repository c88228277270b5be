DROP INDEX artifact_files_by_waits_for;

ALTER TABLE artifact_files
    DROP COLUMN waits_for;

ALTER TABLE artifact_files
    DROP COLUMN checksum;

DELETE FROM sequences WHERE name IN ('artifact_bundle', 'artifact_file');

DROP TABLE artifact_files;
DROP TABLE artifact_bundle_projects;
DROP TABLE artifact_bundles;
DROP TABLE upload_chunks;

DROP TABLE artifact_files;
DROP TABLE artifact_bundle_projects;
DROP TABLE artifact_bundles;
DROP TABLE upload_chunks;

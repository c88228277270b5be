DELETE FROM sequences WHERE name IN ('release_detail', 'deploy');

DROP TABLE deploys;
DROP TABLE release_commits;
DROP TABLE release_projects;
DROP TABLE release_details;

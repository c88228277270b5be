DROP TABLE scraped_askers;

DROP TABLE scraped_scripts;

ALTER TABLE project_settings
    DROP COLUMN fetch_source_maps;

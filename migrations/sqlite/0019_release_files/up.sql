-- SHA-1 of a file's content, which clients compare before they upload; NULL for what came before.
ALTER TABLE artifact_files
    ADD COLUMN checksum TEXT;

-- Of a script whose map was not in its upload: the place key of the map, or the debug id where the upload has no release.
ALTER TABLE artifact_files
    ADD COLUMN waits_for TEXT;

CREATE INDEX artifact_files_by_waits_for ON artifact_files (waits_for);

DROP TABLE issue_moves;
DROP TABLE issue_redirects;
ALTER TABLE events
    DROP COLUMN hash;

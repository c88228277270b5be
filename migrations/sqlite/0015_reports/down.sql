DELETE FROM sequences WHERE name IN ('attachment', 'feedback');

DROP TABLE session_users;
DROP TABLE session_hours;
DROP TABLE session_states;
DROP TABLE feedback;
DROP TABLE attachments;

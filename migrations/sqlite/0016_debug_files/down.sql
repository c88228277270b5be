DELETE FROM sequences WHERE name = 'debug_file';

DROP TABLE debug_files;

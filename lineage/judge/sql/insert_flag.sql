-- Put the flags as they stand now.
INSERT INTO core.flag BY NAME SELECT * FROM given

-- Put the flags as they stand now where the batch may have changed them.
INSERT INTO core.flag BY NAME SELECT * FROM verdict

-- Record all versions of the batch's conflicts, in place of what was recorded of them.
DELETE FROM core.conflict WHERE (event, n) IN (SELECT event, n FROM versions);
INSERT INTO core.conflict BY NAME FROM versions

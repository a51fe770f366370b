-- Record all versions of the batch's conflicts, in place of what was recorded of them.
DELETE FROM core.conflict WHERE (event, n) IN (SELECT event, n FROM given);
INSERT INTO core.conflict BY NAME FROM given

-- Record all versions of the batch's conflicts, in place of those recorded before.
DELETE FROM core.conflict WHERE (event, id) IN (SELECT event, id FROM batch_conflict);
INSERT INTO core.conflict BY NAME FROM batch_conflict

-- Record the batch's new declarations of datasets.
INSERT INTO core.declaration
SELECT n, declaration_id, ds, kind, party, recipient, declared_at FROM given

-- Every id as text.
CREATE VIEW core.identity AS
SELECT id, coalesce(CAST(uuid AS VARCHAR), text) AS text FROM core.identifier

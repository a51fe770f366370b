-- Every id as text.
CREATE VIEW core.identity AS
SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id FROM core.identifier

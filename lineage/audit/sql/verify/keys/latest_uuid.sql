-- The greatest UUID of version 7.
SELECT max(uuid) FROM core.identifier WHERE substr(CAST(uuid AS VARCHAR), 15, 1) = '7'

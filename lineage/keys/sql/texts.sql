-- The ids of some keys.
SELECT id, coalesce(CAST(uuid AS VARCHAR), text) AS text
FROM {rows}

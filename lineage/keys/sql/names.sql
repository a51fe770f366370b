-- The ids of some numbers.
SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id
FROM {rows}

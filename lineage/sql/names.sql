-- The ids of the numbers `wanted`. The relation in braces has (at least) these.
SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id
FROM {near}
SEMI JOIN wanted USING (n)

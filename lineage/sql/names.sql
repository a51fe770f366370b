-- The ids of the numbers `given`. The relation in braces has (at least) these.
SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id
FROM {near}
SEMI JOIN given USING (n)

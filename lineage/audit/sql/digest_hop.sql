-- A line for each hop, with the sets of its inputs and outputs. Of the ids from $first to $last.
-- Wanted ids go by way of a list, as in macros.sql: so that the hash tables are of the part.
WITH part AS MATERIALIZED (FROM core.hop WHERE id BETWEEN $first AND $last),
input AS MATERIALIZED (FROM core.hop_input WHERE hop BETWEEN $first AND $last),
output AS MATERIALIZED (FROM core.hop_output WHERE hop BETWEEN $first AND $last),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM (
        {ids}
        UNION ALL SELECT record FROM input UNION ALL SELECT record FROM output
    )
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT to_json([
    {line},
    CAST(to_json(x.inputs) AS VARCHAR), CAST(to_json(o.outputs) AS VARCHAR)]) AS line
FROM part t {joins}
JOIN (
    SELECT q.hop, list(e.text ORDER BY e.text) AS inputs
    FROM input q
    JOIN name e ON e.id = q.record
    GROUP BY q.hop
) x ON x.hop = t.id
LEFT JOIN (
    SELECT q.hop, list(e.text ORDER BY e.text) AS outputs
    FROM output q
    JOIN name e ON e.id = q.record
    GROUP BY q.hop
) o ON o.hop = t.id

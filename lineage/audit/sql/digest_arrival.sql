-- A line for each arrival. Of the messages whose ids are from $first to $last.
-- Wanted ids go by way of a list, as in macros.sql: so that the hash tables are of the part.
WITH part AS MATERIALIZED (FROM core.arrival WHERE message BETWEEN $first AND $last),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM ({ids})
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT to_json([{line}]) AS line
FROM part t {joins}

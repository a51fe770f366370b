-- A line for each arrival. Of the messages whose ids are from $first to $last.
-- What is looked for goes by way of a list, as in macros.sql: so the hash tables are of the part.
WITH arrival AS MATERIALIZED (FROM core.arrival WHERE m BETWEEN $first AND $last),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT n)) AS n
    FROM (
        SELECT m AS n FROM arrival UNION ALL SELECT h FROM arrival UNION ALL SELECT rec FROM arrival
    )
),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
)
SELECT to_json([
    m.id, h.id, d.text, r.id, core.operation_label(a.operation),
    CAST(epoch_us(a.arrived_at) AS VARCHAR), CAST(a.identifiable AS VARCHAR)]) AS line
FROM arrival a
JOIN name m ON m.n = a.m
JOIN name r ON r.n = a.rec
JOIN core.dataset_name d ON d.n = a.ds
LEFT JOIN name h ON h.n = a.h

-- A line for each hop, with the sets of its inputs and outputs. Of the ids from $first to $last.
-- What is looked for goes by way of a list, as in macros.sql: so the hash tables are of the part.
WITH hop AS MATERIALIZED (FROM core.hop WHERE n BETWEEN $first AND $last),
input AS MATERIALIZED (FROM core.hop_input WHERE h BETWEEN $first AND $last),
output AS MATERIALIZED (FROM core.hop_output WHERE h BETWEEN $first AND $last),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT n)) AS n
    FROM (
        SELECT n FROM hop UNION ALL SELECT run FROM hop
        UNION ALL SELECT rec FROM input UNION ALL SELECT rec FROM output
    )
),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
)
SELECT to_json([
    i.id, r.id, h.job, core.operation_label(h.operation), s.text, t.text, h.method,
    CAST(h.k AS VARCHAR), CAST(epoch_us(h.moved_at) AS VARCHAR),
    CAST(to_json(x.inputs) AS VARCHAR), CAST(to_json(o.outputs) AS VARCHAR)]) AS line
FROM hop h
JOIN name i USING (n)
JOIN name r ON r.n = h.run
JOIN core.dataset_name s ON s.n = h.source
JOIN core.dataset_name t ON t.n = h.target
JOIN (
    SELECT q.h, list(e.id ORDER BY e.id) AS inputs
    FROM input q
    JOIN name e ON e.n = q.rec
    GROUP BY q.h
) x ON x.h = h.n
LEFT JOIN (
    SELECT q.h, list(e.id ORDER BY e.id) AS outputs
    FROM output q
    JOIN name e ON e.n = q.rec
    GROUP BY q.h
) o ON o.h = h.n

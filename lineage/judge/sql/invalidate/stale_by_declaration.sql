-- Which messages arrived in a dataset while a changed declaration of it holds? The earliest
-- declaration of a dataset holds before its instant too.
WITH span AS (
    SELECT c.dataset,
        CASE WHEN bool_or(d.declared_at < c.declared_at) THEN c.declared_at
            ELSE TIMESTAMP '-infinity' END AS from_at,
        coalesce(
            min(d.declared_at) FILTER (d.declared_at > c.declared_at),
            TIMESTAMP 'infinity') AS until_at
    FROM changed_declaration c
    LEFT JOIN core.declaration d USING (dataset)
    GROUP BY c.dataset, c.declared_at
)
SELECT a.message, a.dataset
FROM core.arrival a
JOIN span s ON a.dataset = s.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at

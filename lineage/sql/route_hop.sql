-- The hops `given`. The relation in braces has (at least) these.
SELECT c.n, c.run, c.job, CAST(c.source AS BIGINT) AS source, s.text AS source_text, c.keeps_id
FROM {near} c
JOIN given g ON g.h = c.n
JOIN core.dataset_name s ON s.n = c.source

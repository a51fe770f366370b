-- Where do all hops, old and new, carry what has just arrived? $since: the earliest arrival.
CREATE OR REPLACE TEMP TABLE candidate AS
WITH carried AS MATERIALIZED (
    SELECT
        f.m, i.h, CASE WHEN i.keeps_id THEN i.rec END AS rec,
        any_value(i.target) AS ds, any_value(i.operation) AS operation,
        any_value(i.moved_at) AS arrived_at,
        bool_or(f.identifiable AND NOT i.declassifies) AS identifiable
    FROM frontier f
    JOIN (SELECT * FROM core.hop_input WHERE moved_at >= $since) i
        ON i.rec = f.rec AND i.source = f.ds AND i.moved_at >= f.arrived_at
    GROUP BY 1, 2, 3
)
SELECT m, h, ds, rec, operation, arrived_at, identifiable FROM carried WHERE rec IS NOT NULL
UNION ALL
SELECT c.m, c.h, c.ds, o.rec, c.operation, c.arrived_at, c.identifiable
FROM carried c
JOIN core.hop_output o ON o.h = c.h
WHERE c.rec IS NULL

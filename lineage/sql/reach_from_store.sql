-- What do the batch's new hops carry of what was in their sources before the batch?
CREATE OR REPLACE TEMP TABLE candidate AS
WITH carried AS MATERIALIZED (
    SELECT
        a.m, i.h, CASE WHEN i.keeps_id THEN i.rec END AS rec,
        any_value(i.target) AS ds, any_value(i.operation) AS operation,
        any_value(i.moved_at) AS arrived_at,
        bool_or(a.identifiable AND NOT i.declassifies) AS identifiable
    FROM fresh_hop_input i
    JOIN {arrival} a ON a.rec = i.rec AND a.ds = i.source AND a.arrived_at <= i.moved_at
    GROUP BY 1, 2, 3
)
SELECT m, h, ds, rec, operation, arrived_at, identifiable FROM carried WHERE rec IS NOT NULL
UNION ALL
SELECT c.m, c.h, c.ds, o.rec, c.operation, c.arrived_at, c.identifiable
FROM carried c
JOIN core.hop_output o ON o.h = c.h
WHERE c.rec IS NULL

-- Where do hops carry what records hold? The relations in braces: who is held where since when, and
-- what hops read.
CREATE OR REPLACE TEMP TABLE candidate AS
WITH carried AS MATERIALIZED (
    SELECT
        w.m, i.h, CASE WHEN i.keeps_id THEN i.rec END AS rec,
        any_value(i.target) AS ds, any_value(i.operation) AS operation,
        any_value(i.moved_at) AS arrived_at,
        bool_or(w.identifiable AND NOT i.declassifies) AS identifiable
    FROM {held} w
    JOIN {inputs} i ON i.rec = w.rec AND i.source = w.ds AND i.moved_at >= w.arrived_at
    GROUP BY 1, 2, 3
)
SELECT m, h, ds, rec, operation, arrived_at, identifiable FROM carried WHERE rec IS NOT NULL
UNION ALL
SELECT c.m, c.h, c.ds, o.rec, c.operation, c.arrived_at, c.identifiable
FROM carried c
JOIN core.hop_output o ON o.h = c.h
WHERE c.rec IS NULL

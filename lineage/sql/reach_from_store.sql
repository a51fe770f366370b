-- What do the batch's new hops carry of what was in their sources before the batch?
CREATE OR REPLACE TEMP TABLE candidate AS
WITH carried AS (
    SELECT
        a.m, i.h, CASE WHEN i.keeps_id THEN i.rec END AS rec,
        any_value(i.target) AS ds, any_value(i.moved_at) AS arrived_at,
        bool_or(a.identifiable) AS identifiable
    FROM fresh_hop_input i
    JOIN ({kept}) a ON a.rec = i.rec AND a.ds = i.source AND a.arrived_at <= i.moved_at
    GROUP BY 1, 2, 3
)
SELECT
    c.m, c.h, coalesce(c.rec, o.rec) AS rec, c.ds, c.arrived_at,
    c.identifiable AND d.h IS NULL AS identifiable
FROM carried c
LEFT JOIN core.hop_output o ON o.h = c.h AND c.rec IS NULL
LEFT JOIN core.declassifying_hop d ON d.h = c.h

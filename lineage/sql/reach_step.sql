-- Where do all hops, old and new, carry what has just arrived? $since: the earliest arrival.
CREATE OR REPLACE TEMP TABLE candidate AS
WITH carried AS (
    SELECT
        f.m, i.h, CASE WHEN i.keeps_id THEN i.rec END AS rec,
        any_value(i.target) AS ds, any_value(i.moved_at) AS arrived_at,
        bool_or(f.identifiable) AS identifiable
    FROM frontier f
    JOIN (SELECT * FROM core.hop_input WHERE moved_at >= $since) i
        ON i.rec = f.rec AND i.source = f.ds AND i.moved_at >= f.arrived_at
    GROUP BY 1, 2, 3
)
SELECT
    c.m, c.h, coalesce(c.rec, o.rec) AS rec, c.ds, c.arrived_at,
    c.identifiable AND d.h IS NULL AS identifiable
FROM carried c
LEFT JOIN core.hop_output o ON o.h = c.h AND c.rec IS NULL
LEFT JOIN core.declassifying_hop d ON d.h = c.h

-- What arrived where, and while, a declaration that has changed holds? The earliest of a dataset
-- holds before its instant too.
INSERT INTO touched
WITH span AS (
    SELECT c.ds,
        CASE WHEN bool_or(d.declared_at < c.declared_at) THEN c.declared_at
            ELSE TIMESTAMP '-infinity' END AS from_at,
        coalesce(
            min(d.declared_at) FILTER (d.declared_at > c.declared_at),
            TIMESTAMP 'infinity') AS until_at
    FROM given c
    LEFT JOIN core.declaration d USING (ds)
    GROUP BY c.ds, c.declared_at
)
SELECT a.m, a.ds
FROM core.arrival a
JOIN span s ON a.ds = s.ds AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at

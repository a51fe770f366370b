-- Which declaration of a dataset holds when? The latest not after the instant (ties: the greater
-- id); before the first one the earliest (ties: the smaller id).
DELETE FROM core.declaration_span;
INSERT INTO core.declaration_span
WITH one_an_instant AS (
    SELECT ds, declared_at AS from_at, arg_max(n, declaration_id) AS n
    FROM core.declaration
    GROUP BY ds, declared_at
    UNION ALL
    SELECT ds, TIMESTAMP '-infinity', arg_min(n, (declared_at, declaration_id))
    FROM core.declaration
    GROUP BY ds
)
SELECT
    n AS declaration, ds, from_at,
    coalesce(
        lead(from_at) OVER (PARTITION BY ds ORDER BY from_at), TIMESTAMP 'infinity') AS until_at
FROM one_an_instant

-- Which declaration of a dataset holds when? The latest not after the instant (ties: the greater
-- id); before the first one the earliest (ties: the smaller id).
WITH one_an_instant AS (
    SELECT dataset, declared_at AS from_at, arg_max(id, declaration_id) AS id
    FROM core.declaration
    GROUP BY dataset, declared_at
    UNION ALL
    SELECT dataset, TIMESTAMP '-infinity', arg_min(id, (declared_at, declaration_id))
    FROM core.declaration
    GROUP BY dataset
)
SELECT
    id AS declaration, dataset, from_at,
    coalesce(
        lead(from_at) OVER (PARTITION BY dataset ORDER BY from_at), TIMESTAMP 'infinity') AS until_at
FROM one_an_instant

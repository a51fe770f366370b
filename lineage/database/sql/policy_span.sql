-- Which policy is in force when? The built-in one holds until the first, and of two policies from
-- the same instant the greater id holds.
WITH one_an_instant AS (
    SELECT effective_at AS from_at, arg_max(id, policy_id) AS id
    FROM core.policy
    WHERE id <> 0
    GROUP BY effective_at
    UNION ALL
    SELECT TIMESTAMP '-infinity', 0
)
SELECT
    s.id AS policy, s.from_at,
    coalesce(lead(s.from_at) OVER (ORDER BY s.from_at), TIMESTAMP 'infinity') AS until_at,
    p.disclosed_at
FROM one_an_instant s
JOIN core.policy p USING (id)

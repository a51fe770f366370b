-- The rows of flag_history after one, in words. Like the view, but the relation in braces has (at
-- least) the ids that these rows name.
WITH changed AS (FROM core.flag_history WHERE seq > $after),
name AS (
    SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id
    FROM {near}
    SEMI JOIN (SELECT m AS n FROM changed UNION SELECT first_hop FROM changed) USING (n)
)
SELECT c.seq, CAST(c.status AS VARCHAR) AS status, c.rule,
    CAST(c.severity AS VARCHAR) AS severity, m.id AS message_id, d.text AS dataset, p.policy_id,
    c.first_at, c.last_at, c.arrivals, h.id AS first_hop, c.recorded_at
FROM changed c
JOIN name m ON m.n = c.m
JOIN core.dataset_name d ON d.n = c.ds
JOIN core.policy p ON p.n = c.policy
LEFT JOIN name h ON h.n = c.first_hop
ORDER BY c.seq

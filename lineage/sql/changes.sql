-- The rows of flag_history after one, in words.
SELECT c.seq, CAST(c.status AS VARCHAR) AS status, c.rule,
    CAST(c.severity AS VARCHAR) AS severity, c.message_id, d.text AS dataset, p.policy_id,
    c.first_at, c.last_at, c.arrivals, nullif(c.first_hop, '') AS first_hop, c.recorded_at
FROM core.flag_history c
JOIN core.dataset_name d ON d.n = c.ds
JOIN core.policy p ON p.n = c.policy
WHERE c.seq > $after
ORDER BY c.seq

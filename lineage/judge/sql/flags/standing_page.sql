-- Some of the standing flags of some severities, in the order of their keys.
SELECT f.rule, CAST(f.severity AS VARCHAR) AS severity, f.message_id, n.text AS dataset,
    p.policy_id, f.first_at, f.last_at, f.arrivals, nullif(f.first_hop, '') AS first_hop, h.job,
    d.recipient
FROM (
    FROM core.flag
    WHERE list_contains($severities, CAST(severity AS VARCHAR))
    ORDER BY message, dataset, rule
    LIMIT $count OFFSET $first
) f
JOIN core.dataset_name n ON n.id = f.dataset
JOIN core.policy p ON p.id = f.policy
LEFT JOIN core.hop h ON h.id = f.hop
LEFT JOIN core.declaration d ON d.id = f.declaration
ORDER BY f.message, f.dataset, f.rule

-- The flags, or those of one rule, dataset, message or severity (null: any); with the job of the hop
-- of the first breach, and the recipient as the dataset was declared then.
SELECT f.rule, CAST(f.severity AS VARCHAR) AS severity, f.message_id, n.text AS dataset,
    p.policy_id, f.first_at, f.last_at, f.arrivals, nullif(f.first_hop, '') AS first_hop, h.job,
    d.recipient
FROM core.flag f
JOIN core.dataset_name n ON n.id = f.dataset
JOIN core.policy p ON p.id = f.policy
LEFT JOIN core.hop h ON h.id = f.hop
LEFT JOIN core.declaration d ON d.id = f.declaration
WHERE ($rule IS NULL OR f.rule = $rule) AND ($dataset IS NULL OR n.text = $dataset)
    AND ($message_id IS NULL OR f.message_id = $message_id)
    AND ($severity IS NULL OR f.severity = $severity)
ORDER BY f.rule, f.message_id, n.text

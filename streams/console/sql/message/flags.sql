-- The flags of the message with the key $message, each with the document that has its rule.
SELECT f.rule, f.severity, n.text AS dataset, d.recipient, p.policy_id, f.first_at, f.last_at,
    f.arrivals, f.first_hop, p.document
FROM core.flag f
JOIN core.dataset_name n ON n.id = f.dataset
JOIN core.policy p ON p.id = f.policy
LEFT JOIN core.declaration d ON d.id = f.declaration
WHERE f.message = $message
ORDER BY f.severity DESC, f.first_at, f.rule, dataset

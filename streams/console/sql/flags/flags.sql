-- The flags that are asked for (null: any), a page of them.
WITH dated AS (
    SELECT f.*, n.text AS dataset_text, d.recipient
    FROM core.flag f
    JOIN core.dataset_name n ON n.id = f.dataset
    LEFT JOIN core.declaration d ON d.id = f.declaration
    WHERE ($rule IS NULL OR f.rule = $rule)
        AND ($severity IS NULL OR CAST(f.severity AS VARCHAR) = $severity)
        AND ($dataset IS NULL OR n.text = $dataset)
        AND ($recipient IS NULL OR d.recipient = $recipient)
        AND ($since IS NULL OR f.first_at >= CAST($since AS TIMESTAMP))
        AND ($until IS NULL OR f.first_at < CAST($until AS TIMESTAMP))
        AND ($message IS NULL OR f.message_id = $message)
)
SELECT f.severity, f.rule, f.message_id, f.dataset_text AS dataset, f.recipient, p.policy_id,
    f.first_at, f.last_at, f.arrivals, f.first_hop
FROM dated f
JOIN core.policy p ON p.id = f.policy
{of_parties}
ORDER BY {order}, f.rule, f.message_id, f.dataset_text
LIMIT $most OFFSET $skipped

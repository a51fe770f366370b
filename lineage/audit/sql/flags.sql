-- The flags, or those of one rule, dataset or message (null: any).
SELECT rule, severity, message_id, dataset, policy_id, first_at, last_at, arrivals, first_hop
FROM flag
WHERE ($rule IS NULL OR rule = $rule) AND ($dataset IS NULL OR dataset = $dataset)
    AND ($message_id IS NULL OR message_id = $message_id)
ORDER BY rule, message_id, dataset

-- A line for each flag.
SELECT to_json([
    rule, severity, message_id, dataset, policy_id, CAST(epoch_us(first_at) AS VARCHAR),
    CAST(epoch_us(last_at) AS VARCHAR), CAST(arrivals AS VARCHAR), first_hop]) AS line
FROM flag

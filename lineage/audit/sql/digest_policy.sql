-- A line for each published policy.
SELECT to_json([
    policy_id, CAST(epoch_us(effective_at) AS VARCHAR), CAST(epoch_us(disclosed_at) AS VARCHAR),
    document]) AS line
FROM policy

-- The flags in the dataset with the key $dataset, by rule and policy.
SELECT f.rule, f.severity, p.policy_id, count(*) AS flags, min(f.first_at) AS first_at,
    max(f.last_at) AS last_at
FROM core.flag f
JOIN core.policy p ON p.id = f.policy
WHERE f.dataset = $dataset
GROUP BY ALL
ORDER BY f.severity DESC, flags DESC, rule

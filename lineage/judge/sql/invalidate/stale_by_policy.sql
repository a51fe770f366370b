-- Which messages arrived where while a changed policy is in force?
SELECT a.message, a.dataset
FROM core.arrival a
JOIN changed_policy_span s ON a.arrived_at >= s.from_at AND a.arrived_at < s.until_at

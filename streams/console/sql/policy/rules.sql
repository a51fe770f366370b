-- The rules of a policy, and how many flags each has raised that stand.
SELECT r.rule, r.severity, p.document, count(f.rule) AS flags,
    count(DISTINCT f.message) AS messages
FROM core.policy_rule r
JOIN core.policy p ON p.id = r.policy
LEFT JOIN core.flag f ON f.policy = r.policy AND f.rule = r.rule
WHERE p.policy_id = $policy
GROUP BY r.rule, r.severity, p.document, r.ordinal
ORDER BY r.ordinal

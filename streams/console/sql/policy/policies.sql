-- Every policy, from when until when it is in force, and how many flags are judged by it.
SELECT p.policy_id, s.from_at, s.until_at, p.disclosed_at, coalesce(f.flags, 0) AS flags,
    coalesce(r.rules, 0) AS rules
FROM core.policy p
LEFT JOIN core.policy_span s ON s.policy = p.id
LEFT JOIN (SELECT policy, count(*) AS flags FROM core.flag GROUP BY policy) f ON f.policy = p.id
LEFT JOIN (SELECT policy, count(*) AS rules FROM core.policy_rule GROUP BY policy) r ON r.policy = p.id
ORDER BY p.id <> 0, p.effective_at, p.policy_id

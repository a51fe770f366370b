-- From when until when does a policy that has changed make a difference?
SELECT c.effective_at AS from_at,
    coalesce(
        min(p.effective_at) FILTER (p.effective_at > c.effective_at),
        TIMESTAMP 'infinity') AS until_at
FROM changed_policy c
LEFT JOIN core.policy p ON p.id <> 0
GROUP BY c.effective_at

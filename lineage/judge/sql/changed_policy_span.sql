-- From when until when does a policy that has changed make a difference?
CREATE OR REPLACE TEMP TABLE changed_policy_span AS
SELECT c.effective_at AS from_at,
    coalesce(
        min(p.effective_at) FILTER (p.effective_at > c.effective_at),
        TIMESTAMP 'infinity') AS until_at
FROM given c
LEFT JOIN core.policy p ON p.n <> 0
GROUP BY c.effective_at

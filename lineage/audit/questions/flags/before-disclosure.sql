-- Which flows ran between a policy's going live and its disclosure?
--
-- One row a policy, job, source and target: the hops from when the policy held until it was disclosed,
-- or as long as it held where it never was.
--
-- $policy (text, default null): Only this policy.
WITH hidden AS (
    SELECT p.policy_id, s.from_at, least(s.until_at, coalesce(s.disclosed_at, s.until_at)) AS until_at,
        s.disclosed_at
    FROM core.policy_span s
    JOIN core.policy p ON p.id = s.policy
    WHERE s.from_at < coalesce(s.disclosed_at, s.until_at)
        AND ($policy IS NULL OR p.policy_id = $policy)
)
SELECT h.policy_id, o.job, s.text AS source, t.text AS target, count(*) AS hops,
    min(o.moved_at) AS first_at, max(o.moved_at) AS last_at, h.disclosed_at
FROM hidden h
JOIN core.hop o ON o.moved_at >= h.from_at AND o.moved_at < h.until_at
JOIN core.dataset_name s ON s.id = o.source
JOIN core.dataset_name t ON t.id = o.target
GROUP BY ALL
ORDER BY policy_id, first_at, job, source, target

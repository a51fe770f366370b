-- Which third parties received messages at all? (GDPR, article 30(1)(d))
--
-- One row a recipient, dataset and policy. The recipient is null where the declaration names none.
WITH place AS MATERIALIZED (
    SELECT dataset, name, kind, recipient, policy_id, from_at, until_at
    FROM core.dataset_span
    WHERE party = 'THIRD'
)
SELECT s.recipient, s.name AS dataset, s.kind, s.policy_id, count(DISTINCT a.message) AS messages,
    count(DISTINCT a.message) FILTER (a.identifiable) AS identifiable_messages,
    min(a.arrived_at) AS since, max(a.arrived_at) AS until
FROM core.arrival a
JOIN place s ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
GROUP BY ALL
ORDER BY recipient, dataset, policy_id

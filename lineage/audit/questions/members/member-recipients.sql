-- Which third parties received messages of a member? (GDPR, article 15(1)(c))
--
-- One row a recipient and dataset. The recipient is null where the declaration names none.
--
-- $member (text): Id of the member.
WITH place AS MATERIALIZED (
    SELECT dataset, name, kind, recipient, from_at, until_at
    FROM core.dataset_span
    WHERE party = 'THIRD'
),
own AS MATERIALIZED (
    SELECT DISTINCT p.message
    FROM core.message_party p
    JOIN core.member m ON m.id = p.member
    WHERE m.text = $member
)
SELECT s.recipient, s.name AS dataset, s.kind, count(DISTINCT a.message) AS messages,
    bool_or(a.identifiable) AS identifiable, min(a.arrived_at) AS since, max(a.arrived_at) AS until
FROM core.arrival a
JOIN own o ON o.message = a.message
JOIN place s ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
GROUP BY ALL
ORDER BY since, dataset

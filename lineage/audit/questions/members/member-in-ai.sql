-- Which AI corpora and models hold messages of a member, and since when?
--
-- One row a dataset that was a training corpus or a model as of an arrival there.
--
-- $member (text): Id of the member.
WITH place AS MATERIALIZED (
    SELECT dataset, name, kind, recipient, from_at, until_at
    FROM core.dataset_span
    WHERE kind IN ('TRAINING_CORPUS', 'MODEL')
),
own AS MATERIALIZED (
    SELECT DISTINCT p.message
    FROM core.message_party p
    JOIN core.member m ON m.id = p.member
    WHERE m.text = $member
)
SELECT s.name AS dataset, s.kind, s.recipient, count(DISTINCT a.message) AS messages,
    count(DISTINCT a.record) AS records, bool_or(a.identifiable) AS identifiable,
    min(a.arrived_at) AS since, max(a.arrived_at) AS until
FROM core.arrival a
JOIN own o ON o.message = a.message
JOIN place s ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
GROUP BY ALL
ORDER BY since, dataset

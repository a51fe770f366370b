-- What does a third party hold, of whom, and under which policy did it get there?
--
-- One row a member and policy: the messages that the member sent or received and that arrived at the
-- recipient, as datasets were declared as of each arrival.
--
-- $recipient (text): The third party as its declarations name it.
-- $role (text, default SENDER): SENDER or RECIPIENT, of the messages.
WITH place AS MATERIALIZED (
    SELECT dataset, policy_id, from_at, until_at FROM core.dataset_span WHERE recipient = $recipient
),
held AS MATERIALIZED (
    SELECT a.message, s.policy_id, min(a.arrived_at) AS since, max(a.arrived_at) AS until,
        bool_or(a.identifiable) AS identifiable
    FROM core.arrival a
    JOIN place s
        ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
    GROUP BY ALL
)
SELECT m.text AS member_id, h.policy_id, count(*) AS messages,
    count(*) FILTER (h.identifiable) AS identifiable_messages, min(h.since) AS since,
    max(h.until) AS until
FROM held h
JOIN core.message_party p ON p.message = h.message AND core.role_label(p.role) = $role
JOIN core.member m ON m.id = p.member
GROUP BY ALL
ORDER BY messages DESC, member_id, policy_id

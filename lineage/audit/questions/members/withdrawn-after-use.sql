-- Whose consent was withdrawn after use, and what holds the messages still?
--
-- Members whose last word on the purpose is a refusal, and the datasets (AI: corpora and models; third
-- party: those of third parties) where messages of theirs had arrived before it. One row a member and
-- dataset.
--
-- $purpose (text, default AI_TRAINING): AI_TRAINING or THIRD_PARTY.
-- $member (text, default null): Only this member.
WITH place AS MATERIALIZED (
    SELECT dataset, name, from_at, until_at
    FROM core.dataset_span
    WHERE CASE $purpose WHEN 'AI_TRAINING' THEN kind IN ('TRAINING_CORPUS', 'MODEL')
        WHEN 'THIRD_PARTY' THEN party = 'THIRD' END
),
last_word AS (
    SELECT member, max({'at': effective_at, 'refused': NOT granted}) AS said
    FROM core.consent_change
    WHERE core.purpose_label(purpose) = $purpose
    GROUP BY member
),
withdrawn AS MATERIALIZED (
    SELECT l.member, m.text AS member_id, l.said.at AS withdrawn_at
    FROM last_word l
    JOIN core.member m ON m.id = l.member
    WHERE l.said.refused AND ($member IS NULL OR m.text = $member)
),
used AS MATERIALIZED (
    SELECT a.message, a.dataset, min(a.arrived_at) AS used_at
    FROM core.arrival a
    JOIN place s
        ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
    WHERE a.message IN (SELECT p.message FROM core.message_party p SEMI JOIN withdrawn USING (member))
    GROUP BY ALL
)
SELECT w.member_id, w.withdrawn_at, d.text AS dataset, count(DISTINCT u.message) AS messages,
    min(u.used_at) AS first_used_at
FROM withdrawn w
JOIN core.message_party p USING (member)
JOIN used u ON u.message = p.message AND u.used_at < w.withdrawn_at
JOIN core.dataset_name d ON d.id = u.dataset
GROUP BY ALL
ORDER BY messages DESC, member_id, dataset

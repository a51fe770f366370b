-- The latest messages of the member with the key $member.
WITH own AS MATERIALIZED (
    SELECT message, role, tier, region, ai_training_consent, third_party_consent
    FROM core.message_party WHERE member = $member
    ORDER BY message DESC LIMIT $most
),
asked AS MATERIALIZED (SELECT unnest(list(DISTINCT message)) AS id FROM own),
message AS MATERIALIZED (FROM core.message JOIN (FROM asked WHERE id > 0) USING (id)),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT i.text AS message_id, e.sent_at, core.channel_label(e.channel) AS channel,
    n.text AS dataset, core.role_label(o.role) AS role, core.tier_label(o.tier) AS tier,
    core.region_label(o.region) AS region, o.ai_training_consent, o.third_party_consent,
    o.message AS key
FROM own o
JOIN message e ON e.id = o.message
JOIN name i ON i.id = o.message
JOIN core.dataset_name n ON n.id = e.dataset
ORDER BY e.sent_at DESC, message_id

-- The parties of the message with the key $message.
SELECT core.role_label(y.role) AS role, m.text AS member_id, core.tier_label(y.tier) AS tier,
    core.region_label(y.region) AS region, y.ai_training_consent, y.third_party_consent
FROM core.message_party y
JOIN core.member m ON m.id = y.member
WHERE y.message = $message
ORDER BY y.ordinal

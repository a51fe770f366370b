-- The parties of some messages, with their tags and the message's channel.
SELECT
    m.id, p.message, CAST(m.channel AS BIGINT) AS channel, CAST(p.member AS BIGINT) AS member,
    CAST(p.tier AS BIGINT) AS tier, CAST(p.region AS BIGINT) AS region,
    p.ai_training_consent, p.third_party_consent
FROM {party} p
JOIN {message} m ON m.id = p.message

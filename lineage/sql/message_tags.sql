-- The parties of the messages `given`, with their tags and the message's channel. The relations in
-- braces have (at least) these parties and messages.
SELECT
    n, CAST(m.channel AS BIGINT) AS channel, CAST(p.member AS BIGINT) AS member,
    CAST(p.tier AS BIGINT) AS tier, CAST(p.region AS BIGINT) AS region,
    p.ai_training_consent, p.third_party_consent
FROM {party} p
SEMI JOIN given USING (n)
JOIN {message} m USING (n)

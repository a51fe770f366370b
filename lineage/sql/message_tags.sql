-- The parties of the messages `wanted`, with their tags. The relation in braces has (at least)
-- these parties.
SELECT
    n, CAST(member AS BIGINT) AS member, CAST(tier AS BIGINT) AS tier,
    CAST(region AS BIGINT) AS region,
    ai_training_consent, third_party_consent
FROM {near}
SEMI JOIN wanted USING (n)

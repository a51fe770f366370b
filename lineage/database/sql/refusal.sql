-- When does a message lack a consent? From -infinity until the first change of a party whose tag
-- refuses, and as long as a party's latest change is a refusal.
WITH asked_party AS (
    SELECT message, member, ai_training_consent, third_party_consent FROM core.message_party
),
-- At one instant a refusal wins.
change AS (
    SELECT c.member, c.purpose, c.effective_at, bool_and(c.granted) AS granted
    FROM core.consent_change c
    GROUP BY ALL
),
span AS (
    SELECT member, purpose, granted, effective_at AS from_at,
        lead(effective_at) OVER same AS until_at,
        row_number() OVER same AS place
    FROM change
    WINDOW same AS (PARTITION BY member, purpose ORDER BY effective_at)
),
by_tag AS (
    SELECT message, member, core.purpose_code('AI_TRAINING') AS purpose FROM asked_party WHERE NOT ai_training_consent
    UNION ALL
    SELECT message, member, core.purpose_code('THIRD_PARTY') FROM asked_party WHERE NOT third_party_consent
)
SELECT t.message, t.purpose, TIMESTAMP '-infinity' AS from_at,
    coalesce(s.from_at, TIMESTAMP 'infinity') AS until_at
FROM by_tag t
LEFT JOIN (FROM span WHERE place = 1) s ON s.member = t.member AND s.purpose = t.purpose
UNION ALL
SELECT p.message, s.purpose, s.from_at, coalesce(s.until_at, TIMESTAMP 'infinity')
FROM asked_party p
JOIN span s USING (member)
WHERE NOT s.granted

-- Do all parties consent, as of each arrival? Only for messages with a party who ever changed a
-- consent; for the others the tags on the message hold. The relation in braces holds the arrivals.
WITH asked AS MATERIALIZED (SELECT DISTINCT m, arrived_at FROM {arrival}),
asked_party AS MATERIALIZED (
    SELECT p.n AS m, p.member, p.ai_training_consent, p.third_party_consent
    FROM core.message_party p
    JOIN (SELECT DISTINCT m FROM asked) q ON p.n = q.m
),
-- At one instant a refusal wins.
change AS (
    SELECT c.member, c.purpose, c.effective_at, bool_and(c.granted) AS granted
    FROM core.consent_change c
    SEMI JOIN asked_party USING (member)
    GROUP BY ALL
),
-- A join by member and span is several times faster than an ASOF join: members change little.
span AS MATERIALIZED (
    SELECT member, purpose, granted, effective_at AS from_at,
        coalesce(
            lead(effective_at) OVER (PARTITION BY member, purpose ORDER BY effective_at),
            TIMESTAMP 'infinity') AS until_at
    FROM change
),
changing AS MATERIALIZED (
    SELECT DISTINCT p.m FROM asked_party p SEMI JOIN span USING (member)
)
SELECT a.m, a.arrived_at,
    bool_and(coalesce(t.granted, p.ai_training_consent)) AS ai_training_consent,
    bool_and(coalesce(v.granted, p.third_party_consent)) AS third_party_consent
FROM asked a
JOIN changing USING (m)
JOIN asked_party p USING (m)
LEFT JOIN (FROM span WHERE purpose = 'AI_TRAINING') t
    ON t.member = p.member AND a.arrived_at >= t.from_at AND a.arrived_at < t.until_at
LEFT JOIN (FROM span WHERE purpose = 'THIRD_PARTY') v
    ON v.member = p.member AND a.arrived_at >= v.from_at AND a.arrived_at < v.until_at
GROUP BY a.m, a.arrived_at

-- Do all parties consent, as of each arrival? Only for messages with a party who ever changed a
-- consent; for the others the tags on the message hold. The relation in braces holds the arrivals.
WITH asked AS MATERIALIZED (SELECT DISTINCT m, arrived_at FROM {arrival}),
asked_party AS MATERIALIZED (
    SELECT p.n AS m, p.member, p.ai_training_consent, p.third_party_consent
    FROM core.message_party p
    JOIN (SELECT DISTINCT m FROM asked) q ON p.n = q.m
),
-- At one instant a refusal wins.
change AS MATERIALIZED (
    SELECT c.member, c.purpose, c.effective_at, bool_and(c.granted) AS granted
    FROM core.consent_change c
    SEMI JOIN asked_party USING (member)
    GROUP BY ALL
),
moment AS (
    SELECT m, arrived_at
    FROM asked
    WHERE m IN (SELECT p.m FROM asked_party p SEMI JOIN change USING (member))
)
SELECT o.m, o.arrived_at,
    bool_and(coalesce(t.granted, p.ai_training_consent)) AS ai_training_consent,
    bool_and(coalesce(v.granted, p.third_party_consent)) AS third_party_consent
FROM moment o
JOIN asked_party p USING (m)
ASOF LEFT JOIN (FROM change WHERE purpose = 'AI_TRAINING') t
    ON t.member = p.member AND o.arrived_at >= t.effective_at
ASOF LEFT JOIN (FROM change WHERE purpose = 'THIRD_PARTY') v
    ON v.member = p.member AND o.arrived_at >= v.effective_at
GROUP BY o.m, o.arrived_at

-- The facts that rules read, as of each arrival, in keys and codes: the policy, the declaration, the
-- parties' consents. The relation in braces: when messages lack a consent (refusal.sql).
WITH refused AS (FROM {refusal}),
asked AS (
    SELECT a.*, s.policy, a.arrived_at >= s.disclosed_at AS disclosed, d.declaration, e.channel,
        NOT EXISTS (
            FROM refused r
            WHERE r.message = a.message AND r.purpose = core.purpose_code('AI_TRAINING')
                AND a.arrived_at >= r.from_at AND a.arrived_at < r.until_at
        ) AS ai_training_consent,
        NOT EXISTS (
            FROM refused r
            WHERE r.message = a.message AND r.purpose = core.purpose_code('THIRD_PARTY')
                AND a.arrived_at >= r.from_at AND a.arrived_at < r.until_at
        ) AS third_party_consent
    FROM core.arrival a
    JOIN core.policy_span s ON a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
    JOIN core.message e ON e.id = a.message
    LEFT JOIN core.declaration_span d
        ON d.dataset = a.dataset AND a.arrived_at >= d.from_at AND a.arrived_at < d.until_at
),
party AS (
    SELECT message, bit_or(CAST(1 << tier AS UTINYINT)) AS tiers,
        list(DISTINCT core.region_label(region)) AS regions
    FROM core.message_party
    GROUP BY message
)
SELECT a.message, a.hop, a.dataset, a.record, a.arrived_at, a.policy, a.declaration,
    a.channel, a.channel = core.channel_code('INMAIL') AND (y.tiers & p.paying_tiers) <> 0 AS confidential,
    list_has_any(y.regions, p.exempt_regions) AS exempt_region,
    a.ai_training_consent, a.third_party_consent, a.operation, a.identifiable,
    coalesce(a.disclosed, false) AS disclosed
FROM asked a
JOIN party y USING (message)
JOIN core.policy p ON p.id = a.policy

-- What rules ask about arrivals, as of each: the policy, the declaration, the parties' consents.
-- In numbers. The relations in braces: the arrivals that are asked about, (at least) their
-- messages, and when those lack a consent (refusal.sql).
WITH refused AS MATERIALIZED (FROM {refusal}),
asked AS MATERIALIZED (
    SELECT a.*, s.policy, a.arrived_at >= s.disclosed_at AS disclosed, d.declaration, e.profile,
        NOT EXISTS (
            FROM refused r
            WHERE r.m = a.m AND r.purpose = 'AI_TRAINING'
                AND a.arrived_at >= r.from_at AND a.arrived_at < r.until_at
        ) AS ai_training_consent,
        NOT EXISTS (
            FROM refused r
            WHERE r.m = a.m AND r.purpose = 'THIRD_PARTY'
                AND a.arrived_at >= r.from_at AND a.arrived_at < r.until_at
        ) AS third_party_consent
    FROM {arrival} a
    JOIN core.policy_span s ON a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
    JOIN {message} e ON e.n = a.m
    LEFT JOIN core.declaration_span d
        ON d.ds = a.ds AND a.arrived_at >= d.from_at AND a.arrived_at < d.until_at
),
-- What the policy makes of the parties' tiers and regions, once for each profile.
judged_profile AS (
    SELECT q.profile, q.policy, p.channel,
        p.channel = 'INMAIL' AND (p.tiers & o.paying_tiers) <> 0 AS confidential,
        list_has_any(p.regions, o.exempt_regions) AS exempt_region
    FROM (SELECT DISTINCT profile, policy FROM asked) q
    JOIN core.profile p ON p.n = q.profile
    JOIN core.policy o ON o.n = q.policy
)
SELECT a.m, a.h, a.ds, a.rec, a.arrived_at, a.policy, a.declaration,
    j.channel, j.confidential, j.exempt_region, a.ai_training_consent, a.third_party_consent,
    a.operation, a.identifiable, coalesce(a.disclosed, false) AS disclosed
FROM asked a
JOIN judged_profile j USING (profile, policy)

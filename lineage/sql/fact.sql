-- What rules ask about arrivals, as of each: the policy, the declaration, the parties' consents.
-- In numbers. The relations in braces: the arrivals that are asked about, and what consent.sql
-- tells of them.
WITH asked AS MATERIALIZED (
    SELECT a.*, s.policy,
        a.arrived_at >= s.disclosed_at AS disclosed, d.declaration, e.profile
    FROM {arrival} a
    JOIN core.policy_span s ON a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
    JOIN core.message e ON e.n = a.m
    LEFT JOIN core.declaration_span d
        ON d.ds = a.ds AND a.arrived_at >= d.from_at AND a.arrived_at < d.until_at
),
-- What the policy makes of the parties' tiers and regions, once for each profile.
judged_profile AS (
    SELECT q.profile, q.policy, p.channel,
        p.channel = 'INMAIL' AND (p.tiers & o.paying_tiers) <> 0 AS confidential,
        list_has_any(p.regions, o.exempt_regions) AS exempt_region,
        p.ai_training_consent, p.third_party_consent
    FROM (SELECT DISTINCT profile, policy FROM asked) q
    JOIN core.profile p ON p.n = q.profile
    JOIN core.policy o ON o.n = q.policy
)
SELECT a.m, a.h, a.ds, a.rec, a.arrived_at, a.policy, a.declaration,
    j.channel, j.confidential, j.exempt_region,
    coalesce(c.ai_training_consent, j.ai_training_consent) AS ai_training_consent,
    coalesce(c.third_party_consent, j.third_party_consent) AS third_party_consent,
    a.operation, a.identifiable,
    coalesce(a.disclosed, false) AS disclosed
FROM asked a
JOIN judged_profile j USING (profile, policy)
LEFT JOIN {consent} c ON c.m = a.m AND c.arrived_at = a.arrived_at

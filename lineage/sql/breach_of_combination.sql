-- The arrivals whose combination of facts breaks a rule.
INSERT INTO breach
SELECT b.rule, b.severity, j.m, j.ds, j.policy, j.arrived_at, j.h, j.rec
FROM judged j
JOIN ({broken}) b
    ON b.policy = j.policy AND b.ds = j.ds
    AND coalesce(b.declaration, -1) = coalesce(j.declaration, -1)
    AND CAST(b.channel AS core.channel) = j.channel AND b.confidential = j.confidential
    AND b.exempt_region = j.exempt_region AND b.ai_training_consent = j.ai_training_consent
    AND b.third_party_consent = j.third_party_consent
    AND CAST(b.operation AS core.operation) = j.operation AND b.identifiable = j.identifiable
    AND b.disclosed = j.disclosed

-- The parties of the messages numbered in `given`, in the columns of a batch.
SELECT p.n AS row, p.ordinal, core.role_label(p.role) AS role, m.text AS member_id,
    core.tier_label(p.tier) AS tier, core.region_label(p.region) AS region, p.ai_training_consent, p.third_party_consent
FROM given c
JOIN core.message_party p USING (n)
JOIN core.member m ON m.n = p.member

-- In which messages, the latest keys first, does the member with the key $member take part?
SELECT message, core.role_label(role) AS role, core.tier_label(tier) AS tier,
    core.region_label(region) AS region, ai_training_consent, third_party_consent
FROM core.message_party
WHERE member = $member
ORDER BY message DESC
LIMIT $most

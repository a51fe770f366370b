-- The consent changes of the member with the key $member, the latest first.
SELECT c.effective_at, core.purpose_label(c.purpose) AS purpose, c.granted,
    core.basis_label(c.basis) AS basis
FROM core.consent_change c
WHERE c.member = $member
ORDER BY c.effective_at DESC, purpose, c.granted
LIMIT $most

-- The parties of the messages numbered in `colliding`, in the columns of a batch.
SELECT p.n AS row, p.ordinal, CAST(p.role AS VARCHAR) AS role, m.text AS member_id,
    CAST(p.tier AS VARCHAR) AS tier, CAST(p.region AS VARCHAR) AS region, p.ai_training_consent, p.third_party_consent
FROM colliding c
JOIN core.message_party p USING (n)
JOIN core.member m ON m.n = p.member

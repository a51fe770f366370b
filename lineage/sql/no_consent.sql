-- What consent.sql gives where nobody ever changed a consent.
(
    SELECT 0 AS m, TIMESTAMP 'epoch' AS arrived_at, true AS ai_training_consent,
        true AS third_party_consent
    WHERE false
)

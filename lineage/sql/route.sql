-- The rows of the macro, with the facts of each arrival and the rules that it broke.
WITH fact_of_arrival AS ({fact_text}),
broken AS (
    SELECT h, ds, rec, list(DISTINCT rule ORDER BY rule) AS rules
    FROM found
    GROUP BY ALL
),
described AS (
    SELECT h.id AS hop_id, f.dataset, r.id AS record_id, f.declared, f.kind, f.party, f.recipient,
        p.policy_id, f.disclosed, f.channel, f.confidential, f.exempt_region,
        f.ai_training_consent, f.third_party_consent, coalesce(b.rules, []) AS rules
    FROM fact_of_arrival f
    JOIN core.policy p ON p.n = f.policy
    JOIN core.identity r ON r.n = f.rec
    LEFT JOIN core.identity h ON h.n = f.h
    LEFT JOIN broken b ON b.h = f.h AND b.ds = f.ds AND b.rec = f.rec
)
SELECT r.*, d.* EXCLUDE (hop_id, dataset, record_id)
FROM route($message_id) r
JOIN described d
    ON d.dataset = r.dataset AND d.record_id = r.record_id
    AND d.hop_id IS NOT DISTINCT FROM r.hop_id
ORDER BY r.arrived_at, r.hop_id NULLS FIRST, r.dataset, r.record_id, r.source_record_id

-- The way of one message: like the macro, from what was found near it. own: its arrivals, with facts;
-- hop: the hops that carried it; input: what these read; broken: which rules were broken; name:
-- the ids of all these.
WITH fact_of_arrival AS ({fact_text}),
broken AS (
    SELECT h, ds, rec, list(DISTINCT rule ORDER BY rule) AS rules
    FROM found
    GROUP BY ALL
),
-- The records that held the message when the hop read them.
came_from AS (
    SELECT DISTINCT o.h, o.rec, i.source, i.rec AS source_rec
    FROM judged o
    JOIN input i ON i.h = o.h AND (NOT i.keeps_id OR i.rec = o.rec)
    SEMI JOIN judged p ON p.ds = i.source AND p.rec = i.rec AND p.arrived_at <= o.arrived_at
)
SELECT m.id AS message_id, hn.id AS hop_id, run.id AS run_id, h.job, a.operation,
    sd.text AS source, sr.id AS source_record_id, a.dataset, r.id AS record_id,
    a.arrived_at, a.identifiable, a.declared, a.kind, a.party, a.recipient, p.policy_id,
    a.disclosed, a.channel, a.confidential, a.exempt_region, a.ai_training_consent,
    a.third_party_consent, coalesce(b.rules, []) AS rules
FROM fact_of_arrival a
JOIN core.policy p ON p.n = a.policy
JOIN name m ON m.n = a.m
JOIN name r ON r.n = a.rec
LEFT JOIN hop h ON h.n = a.h
LEFT JOIN name hn ON hn.n = a.h
LEFT JOIN name run ON run.n = h.run
LEFT JOIN came_from c ON c.h = a.h AND c.rec = a.rec
LEFT JOIN core.dataset_name sd ON sd.n = c.source
LEFT JOIN name sr ON sr.n = c.source_rec
LEFT JOIN broken b ON b.h = a.h AND b.ds = a.ds AND b.rec = a.rec
ORDER BY a.arrived_at, hop_id NULLS FIRST, a.dataset, record_id, source_record_id

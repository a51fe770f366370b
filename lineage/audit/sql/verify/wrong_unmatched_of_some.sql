-- The same of the inputs of some hops, chosen by $seed: a tenth as many as messages.
WITH wanted AS MATERIALIZED (
    SELECT id, source, moved_at FROM core.hop ORDER BY hash(xor(hash(id), CAST($seed AS UBIGINT))), id LIMIT $messages // 10
),
input AS MATERIALIZED (
    SELECT i.hop, i.record, w.source, w.moved_at
    FROM core.hop_input i
    JOIN wanted w ON w.id = i.hop
),
arrived AS MATERIALIZED (
    SELECT a.dataset, a.record, min(a.arrived_at) AS since_at
    FROM core.arrival a
    SEMI JOIN input i ON i.record = a.record AND i.source = a.dataset
    GROUP BY ALL
),
stored AS MATERIALIZED (
    SELECT u.hop, u.record, count(*) AS times
    FROM core.unmatched_input u
    SEMI JOIN wanted w ON w.id = u.hop
    GROUP BY ALL
),
derived AS MATERIALIZED (
    SELECT DISTINCT i.hop, i.record
    FROM input i
    LEFT JOIN arrived a
        ON a.dataset = i.source AND a.record = i.record AND a.since_at <= i.moved_at
    WHERE a.record IS NULL
)
SELECT coalesce(s.hop, d.hop), coalesce(s.record, d.record), s.hop IS NOT NULL
FROM stored s
FULL JOIN derived d ON d.hop = s.hop AND d.record = s.record
WHERE s.hop IS NULL OR d.hop IS NULL OR s.times > 1

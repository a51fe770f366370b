-- Which inputs held no message and are not stored as such, or the other way round? Of the records
-- whose ids are from $first to $last.
WITH input AS MATERIALIZED (FROM core.hop_input WHERE record BETWEEN $first AND $last),
arrived AS MATERIALIZED (
    SELECT dataset, record, min(arrived_at) AS since_at
    FROM core.arrival
    WHERE record BETWEEN $first AND $last
    GROUP BY ALL
),
stored AS MATERIALIZED (
    SELECT hop, record, count(*) AS times
    FROM core.unmatched_input
    WHERE record BETWEEN $first AND $last
    GROUP BY ALL
),
derived AS MATERIALIZED (
    SELECT DISTINCT i.hop, i.record
    FROM input i
    JOIN core.hop h ON h.id = i.hop
    LEFT JOIN arrived a
        ON a.dataset = h.source AND a.record = i.record AND a.since_at <= h.moved_at
    WHERE a.record IS NULL
)
SELECT coalesce(s.hop, d.hop), coalesce(s.record, d.record), s.hop IS NOT NULL
FROM stored s
FULL JOIN derived d ON d.hop = s.hop AND d.record = s.record
WHERE s.hop IS NULL OR d.hop IS NULL OR s.times > 1

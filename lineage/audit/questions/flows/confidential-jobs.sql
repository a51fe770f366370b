-- Which jobs moved how many confidential records?
--
-- Confidential: an InMail with a party on a tier that pays by the policy as of the hop. A record counts
-- once for each hop that wrote it with a confidential message in it.
--
-- $since (timestamp, default 1970-01-01): Only hops from this instant on.
WITH period AS MATERIALIZED (
    SELECT s.from_at, s.until_at, p.paying_tiers
    FROM core.policy_span s
    JOIN core.policy p ON p.id = s.policy
),
paying AS MATERIALIZED (
    SELECT p.message, bit_or(CAST(1 << p.tier AS UTINYINT)) AS tiers
    FROM core.message_party p
    SEMI JOIN (SELECT id FROM core.message WHERE channel = core.channel_code('INMAIL')) m
        ON m.id = p.message
    WHERE (CAST(1 << p.tier AS UTINYINT) & (SELECT bit_or(paying_tiers) FROM period)) <> 0
    GROUP BY p.message
),
moved AS (
    SELECT a.hop, y.tiers, count(DISTINCT a.record) AS records
    FROM core.arrival a
    JOIN paying y ON y.message = a.message
    WHERE a.hop > 0 AND a.arrived_at >= $since
    GROUP BY ALL
)
SELECT h.job, core.operation_label(h.operation) AS operation, t.text AS target,
    CAST(sum(v.records) AS BIGINT) AS records, count(DISTINCT v.hop) AS hops, max(h.moved_at) AS last_at
FROM moved v
JOIN core.hop h ON h.id = v.hop
JOIN period s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
    AND (v.tiers & s.paying_tiers) <> 0
JOIN core.dataset_name t ON t.id = h.target
GROUP BY ALL
ORDER BY records DESC, job, operation, target

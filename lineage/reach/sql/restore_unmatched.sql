-- Which inputs hold no message any more, now that arrivals were taken back?
INSERT INTO core.unmatched_input
SELECT i.hop, i.record
FROM core.hop_input i
JOIN core.hop h ON h.id = i.hop
SEMI JOIN vacated v ON v.dataset = h.source AND v.record = i.record
ANTI JOIN core.arrival a
    ON a.dataset = h.source AND a.record = i.record AND a.arrived_at <= h.moved_at
ANTI JOIN core.unmatched_input u ON u.hop = i.hop AND u.record = i.record

-- Which hops, not before $since (microseconds), read some records?
SELECT
    i.hop, i.record, CAST(h.source AS BIGINT) AS source, CAST(h.target AS BIGINT) AS target,
    CAST(h.operation AS BIGINT) AS operation, h.keeps_id, h.declassifies,
    epoch_us(h.moved_at) AS moved_at
FROM {rows} i
JOIN core.hop h ON h.id = i.hop
WHERE h.moved_at >= make_timestamp($since)

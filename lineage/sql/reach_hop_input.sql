-- Which hops, not before $since (microseconds), read the records `wanted`? The relation in braces
-- has (at least) what reads them.
SELECT
    i.h, i.rec, CAST(i.source AS BIGINT) AS source, CAST(i.target AS BIGINT) AS target,
    CAST(i.operation AS BIGINT) AS operation, i.keeps_id, i.declassifies,
    epoch_us(i.moved_at) AS moved_at
FROM {near} i
SEMI JOIN wanted USING (rec)
WHERE i.moved_at >= make_timestamp($since)

-- What do some hops do that are not before $since (microseconds)?
SELECT
    id, CAST(source AS BIGINT) AS source, CAST(target AS BIGINT) AS target,
    CAST(operation AS BIGINT) AS operation, keeps_id, declassifies, epoch_us(moved_at) AS moved_at
FROM {rows}
WHERE moved_at >= make_timestamp($since)

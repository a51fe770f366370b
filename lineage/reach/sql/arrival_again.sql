(
    -- New arrivals; those that were retracted with the instant at which they were recorded first.
    SELECT n.* REPLACE (
        CASE WHEN r.message IS NULL THEN n.recorded_at ELSE r.recorded_at END AS recorded_at)
    FROM new_arrival n
    LEFT JOIN {retracted} r USING (message, hop, dataset, record, arrived_at)
)

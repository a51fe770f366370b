-- Arrivals in integers; instants in microseconds. The relation in braces: those asked about.
SELECT
    message, hop, CAST(dataset AS BIGINT) AS dataset, record, CAST(operation AS BIGINT) AS operation,
    epoch_us(arrived_at) AS arrived_at, identifiable
FROM {arrival}

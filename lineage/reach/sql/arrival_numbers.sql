-- Arrivals in numbers alone; instants in microseconds. The relation in braces: those asked about.
SELECT
    m, h, CAST(ds AS BIGINT) AS ds, rec, CAST(operation AS BIGINT) AS operation,
    epoch_us(arrived_at) AS arrived_at, identifiable
FROM {arrival}

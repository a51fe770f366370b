-- Which messages are in some records, and since when?
SELECT
    message, record, CAST(dataset AS BIGINT) AS dataset, epoch_us(arrived_at) AS since, identifiable
FROM {rows}

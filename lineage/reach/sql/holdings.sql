-- Which messages are in some records of some datasets, and since when? In braces, too: the datasets.
SELECT
    message, record, CAST(dataset AS BIGINT) AS dataset, epoch_us(arrived_at) AS since, identifiable
FROM {rows}
WHERE dataset IN ({datasets})

-- Since when (microseconds) do some records hold a message?
SELECT record, CAST(dataset AS BIGINT) AS dataset, epoch_us(min(arrived_at)) AS since
FROM {rows}
GROUP BY ALL

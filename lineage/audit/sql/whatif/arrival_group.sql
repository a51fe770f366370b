-- In which datasets did messages arrive, by which operations, from when until when (microseconds)?
SELECT CAST(dataset AS BIGINT) AS dataset, CAST(operation AS BIGINT) AS operation,
    epoch_us(min(arrived_at)) AS first_at, epoch_us(max(arrived_at)) AS last_at, count(*) AS arrivals
FROM core.arrival
GROUP BY ALL

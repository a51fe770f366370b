-- In which datasets did messages arrive, by which operations, from when until when (microseconds)?
-- In order, for the as-of lookup of what can break a rule.
SELECT CAST(a.dataset AS BIGINT) AS dataset, CAST(a.operation AS BIGINT) AS operation,
    epoch_us(min(a.arrived_at)) AS first_at, epoch_us(max(a.arrived_at)) AS last_at,
    count(*) AS arrivals
FROM core.arrival a
GROUP BY 1, 2
ORDER BY 1, 2

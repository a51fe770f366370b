-- The arrivals that can break a rule, by what `candidate` knows of datasets, operations and instants.
SELECT a.*
FROM core.arrival a
JOIN candidate c
    ON c.dataset = a.dataset AND c.operation = a.operation
    AND a.arrived_at >= c.from_at AND a.arrived_at < c.until_at

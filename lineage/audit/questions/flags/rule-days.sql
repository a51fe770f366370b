-- How often was a rule broken, day by day?
--
-- The flags that stand, by the day (UTC) of their first breach. One row a day and dataset.
--
-- $rule (text): Id of the rule.
SELECT CAST(first_at AS DATE) AS day, dataset, count(*) AS flags, CAST(sum(arrivals) AS BIGINT) AS arrivals
FROM flag
WHERE rule = $rule
GROUP BY ALL
ORDER BY day, dataset

-- How many rows are there to compare, by blocks of messages? $ids: messages a block. In braces: the
-- arrivals that can break a rule.
SELECT message // $ids AS block, count(*) AS rows
FROM (SELECT message FROM ({arrival}) UNION ALL SELECT message FROM core.flag)
GROUP BY block
ORDER BY block

-- Which ids have two keys? Of one of $buckets parts, so that it takes bounded memory.
SELECT min(id), count(*)
FROM core.{table}
WHERE hash({columns}) % $buckets = $bucket
GROUP BY {columns}
HAVING count(*) > 1
LIMIT 10

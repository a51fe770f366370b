-- Which events of a table that keeps ids as texts, too, come twice, or have another id by their key?
SELECT t.{id}, count(*)
FROM core.{table} t
LEFT JOIN core.identity i ON i.id = t.id
WHERE t.id <> 0
GROUP BY t.{id}
HAVING count(*) > 1 OR bool_or(i.text IS DISTINCT FROM t.{id})
LIMIT 10

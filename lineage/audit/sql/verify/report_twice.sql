-- Which reports of runs come twice?
SELECT i.text, count(*)
FROM core.run_report t
LEFT JOIN core.identity i USING (id)
GROUP BY t.id, i.text
HAVING count(*) > 1
LIMIT 10

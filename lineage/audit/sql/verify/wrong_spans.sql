-- Which spans are stored and do not follow, or the other way round? In braces: the derived ones.
WITH derived AS ({derived}),
extra AS (FROM core.{table} EXCEPT ALL FROM derived),
missing AS (FROM derived EXCEPT ALL FROM core.{table})
SELECT count(*), min({key}), 'are stored and do not follow' FROM extra HAVING count(*) > 0
UNION ALL
SELECT count(*), min({key}), 'follow and are not stored' FROM missing HAVING count(*) > 0

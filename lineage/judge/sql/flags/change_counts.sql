-- How many changes of flags came after $seq, by rule, severity and status?
SELECT rule, CAST(severity AS VARCHAR), CAST(status AS VARCHAR), count(*)
FROM core.flag_history
WHERE seq > $seq
GROUP BY ALL

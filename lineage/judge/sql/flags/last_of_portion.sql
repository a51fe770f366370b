-- Which is the last of the next $count changes of flags after $seq? No column but one is read.
SELECT max(seq)
FROM (SELECT seq FROM core.flag_history WHERE seq > $seq ORDER BY seq LIMIT $count)

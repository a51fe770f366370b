-- How many hops with greater keys than $last went from which dataset to which?
SELECT source, target, count(*) AS hops, max(id) AS last
FROM core.hop
WHERE id > $last
GROUP BY source, target

-- How many hops, and how many versions in conflict, are there?
SELECT (SELECT count(*) FROM core.hop) AS hops, (SELECT count(*) FROM core.conflict) AS conflicts

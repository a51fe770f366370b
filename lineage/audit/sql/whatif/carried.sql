-- Which messages of a range did the flipped hops carry? $first, $last: the range.
SELECT DISTINCT message
FROM core.arrival
WHERE message BETWEEN $first AND $last AND hop IN (SELECT id FROM flipped_hop)
ORDER BY message

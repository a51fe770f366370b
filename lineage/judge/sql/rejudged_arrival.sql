-- All arrivals of the pairs judged anew, each with its place among them, from 0. $first, $last: the
-- least and the greatest of the messages.
SELECT a.* EXCLUDE (recorded_at), row_number() OVER () - 1 AS place
FROM core.arrival a
JOIN stale_pair p ON a.message = p.message AND a.dataset = p.dataset
WHERE a.message BETWEEN $first AND $last

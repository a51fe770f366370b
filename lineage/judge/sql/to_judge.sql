-- All arrivals of what is judged anew, each with its place among them, from 0. $first, $last: the
-- least and the greatest of the messages.
CREATE OR REPLACE TEMP TABLE to_judge AS
SELECT a.*, row_number() OVER () - 1 AS place
FROM core.arrival a
JOIN touched_part t ON a.m = t.m AND a.ds = t.ds
WHERE a.m BETWEEN $first AND $last

-- The flags that the batch may change: those of what is judged anew, and of new breaches.
CREATE OR REPLACE TEMP TABLE standing AS
SELECT f.*
FROM core.flag f
JOIN (SELECT m, ds FROM breach UNION SELECT m, ds FROM touched) q ON f.m = q.m AND f.ds = q.ds

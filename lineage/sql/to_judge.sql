-- What is judged: the batch's arrivals, and of what is judged anew all arrivals.
CREATE OR REPLACE TEMP TABLE to_judge AS
SELECT * EXCLUDE (stored)
FROM arrived ANTI JOIN touched USING (m, ds)
UNION ALL
SELECT a.*
FROM core.arrival a
JOIN touched t ON a.m = t.m AND a.ds = t.ds

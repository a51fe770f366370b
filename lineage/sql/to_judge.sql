-- What is judged: the batch's arrivals, and of what is judged anew all arrivals.
CREATE OR REPLACE TEMP TABLE to_judge AS
SELECT m, h, ds, rec, arrived_at, identifiable
FROM arrived ANTI JOIN touched USING (m, ds)
UNION ALL
SELECT a.m, a.h, a.ds, a.rec, a.arrived_at, a.identifiable
FROM core.arrival a
JOIN touched t ON a.m = t.m AND a.ds = t.ds

-- The candidates that are known, from this batch or, for hops that may be of earlier batches, from
-- the store. $first_new: the first number that did not exist before the batch.
(
    SELECT m, h, rec, bool_or(identifiable) AS identifiable, min(known) AS known
    FROM (
        SELECT m, h, rec, identifiable, 'BATCH' AS known FROM arrived
        UNION ALL
        SELECT a.m, a.h, a.rec, a.identifiable, 'STORE'
        FROM core.arrival a
        JOIN (FROM candidate WHERE h < $first_new) c
            ON a.m = c.m AND a.h = c.h AND a.rec = c.rec AND a.arrived_at = c.arrived_at
    )
    GROUP BY m, h, rec
)

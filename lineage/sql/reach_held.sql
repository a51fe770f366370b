-- Who is in the records `given`, since when? The relation in braces has (at least) their arrivals.
SELECT
    a.m, a.rec, CAST(a.ds AS BIGINT) AS ds, epoch_us(a.arrived_at) AS arrived_at, a.identifiable
FROM {near} a
SEMI JOIN given USING (rec)

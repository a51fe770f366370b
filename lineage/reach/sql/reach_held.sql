-- Who is in some records, since when?
SELECT
    a.m, a.rec, CAST(a.ds AS BIGINT) AS ds, epoch_us(a.arrived_at) AS arrived_at, a.identifiable
FROM {rows} a

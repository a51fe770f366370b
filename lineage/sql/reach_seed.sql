-- Where do the batch's new messages begin, and those whose routes are derived anew?
CREATE OR REPLACE TEMP TABLE frontier AS
SELECT n AS m, CAST(0 AS BIGINT) AS h, n AS rec, CAST(ds AS INTEGER) AS ds, sent_at AS arrived_at,
    true AS identifiable, 'NEW' AS known
FROM fresh_message
UNION ALL
SELECT n, 0, n, ds, sent_at, true, 'NEW'
FROM core.message
WHERE n IN (SELECT m FROM dirty) AND n NOT IN (SELECT n FROM fresh_message)

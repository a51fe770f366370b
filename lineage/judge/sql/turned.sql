-- Which old hops under a changed policy declassify otherwise than before?
CREATE OR REPLACE TEMP TABLE turned AS
WITH examined AS (
    SELECT h.*
    FROM core.hop h
    JOIN changed_policy_span s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
    WHERE h.method IS NOT NULL
),
declassifying AS ({declassifying})
SELECT n AS h, NOT declassifies AS declassifies
FROM examined
WHERE declassifies <> (n IN (SELECT n FROM declassifying))

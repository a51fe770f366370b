-- Which old hops under a changed policy declassify otherwise than before? In braces: declassifying.sql.
WITH examined AS (
    SELECT h.*
    FROM core.hop h
    JOIN changed_policy_span s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
    WHERE h.method IS NOT NULL
),
declassifying AS ({declassifying})
SELECT id AS hop, NOT declassifies AS declassifies
FROM examined
WHERE declassifies <> (id IN (SELECT id FROM declassifying))

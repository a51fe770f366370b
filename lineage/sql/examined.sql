-- Which hops may declassify otherwise than before: new ones, and those under a changed policy.
CREATE OR REPLACE TEMP TABLE examined AS
WITH fresh AS ({fresh})
SELECT n AS h, true AS fresh FROM fresh WHERE method IS NOT NULL
UNION ALL
SELECT h.n, false
FROM core.hop h
JOIN changed_policy_span s ON h.moved_at >= s.from_at AND h.moved_at < s.until_at
WHERE h.method IS NOT NULL AND h.n NOT IN (SELECT n FROM fresh)

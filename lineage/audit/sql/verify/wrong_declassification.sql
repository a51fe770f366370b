-- Which hops say wrongly whether they declassify? In braces: those that do.
WITH claiming AS (FROM core.hop WHERE method IS NOT NULL),
declassifying AS ({declassifying})
SELECT id
FROM core.hop
WHERE declassifies <> (id IN (SELECT id FROM declassifying))

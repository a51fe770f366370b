-- Which of a batch's ids have a number already? Materialised, since what a join knows of the ids
-- cannot be asked of an Arrow table of UUIDs.
WITH asked AS MATERIALIZED (FROM given)
SELECT b.code, i.n
FROM asked b
JOIN {rows} i ON i.{column} = b.id

-- Which of a batch's ids have a key already? Materialised, since what a join knows of the ids
-- cannot be asked of an Arrow table of UUIDs.
WITH asked AS MATERIALIZED (FROM batch_text)
SELECT b.code, i.id
FROM asked b
JOIN {rows} i ON i.{column} = b.text

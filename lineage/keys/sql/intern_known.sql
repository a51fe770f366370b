-- Which of a batch's ids have a key already? Materialised, since the filters of a join cannot be
-- pushed down into an Arrow table of UUIDs.
WITH asked AS MATERIALIZED (FROM batch_text)
SELECT b.code, i.id
FROM asked b
JOIN {rows} i ON i.{column} = b.text

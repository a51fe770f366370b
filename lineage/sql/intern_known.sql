-- Which of a batch's texts have a number already?
SELECT b.code, i.n
FROM (SELECT code, CAST(text AS {type}) AS id FROM interning_batch) b
JOIN {rows} i ON i.{column} = b.id

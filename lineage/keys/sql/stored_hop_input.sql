-- The inputs of the hops numbered in `given`, in the columns of a batch.
SELECT r.h AS row, i.id AS record_id
FROM given c
JOIN core.hop_input r ON r.h = c.n
JOIN core.identity i ON i.n = r.rec

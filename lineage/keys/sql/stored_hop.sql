-- The hops numbered in `given`, in the columns of a batch.
SELECT h.n AS row, i.id AS hop_id, r.id AS run_id, h.job, core.operation_label(h.operation) AS operation,
    s.text AS source, t.text AS target, h.method, h.k, h.moved_at
FROM given c
JOIN core.hop h USING (n)
JOIN core.identity i USING (n)
JOIN core.identity r ON r.n = h.run
JOIN core.dataset_name s ON s.n = h.source
JOIN core.dataset_name t ON t.n = h.target

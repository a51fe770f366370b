-- Which datasets hold messages and were never declared?
--
-- One row a dataset, with the jobs that wrote it.
WITH undeclared AS MATERIALIZED (
    SELECT n.id, n.text FROM core.dataset_name n ANTI JOIN core.declaration d ON d.dataset = n.id
)
SELECT u.text AS dataset, count(DISTINCT a.message) AS messages, min(a.arrived_at) AS since,
    max(a.arrived_at) AS until,
    (
        SELECT list(DISTINCT h.job ORDER BY h.job) FROM core.hop h WHERE h.target = u.id
    ) AS jobs
FROM undeclared u
JOIN core.arrival a ON a.dataset = u.id
GROUP BY ALL
ORDER BY messages DESC, dataset

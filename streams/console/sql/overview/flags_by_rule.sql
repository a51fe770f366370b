-- How many flags are there of each rule in each dataset?
SELECT f.rule, f.severity, n.text AS dataset, count(*) AS flags, count(DISTINCT f.message) AS messages,
    min(f.first_at) AS first_at, max(f.last_at) AS last_at
FROM core.flag f
JOIN core.dataset_name n ON n.id = f.dataset
GROUP BY ALL
ORDER BY f.severity DESC, flags DESC, rule, dataset

-- The rules, datasets and recipients that flags are of.
SELECT list(DISTINCT f.rule ORDER BY f.rule) AS rules, list(DISTINCT n.text ORDER BY n.text) AS datasets,
    list(DISTINCT d.recipient ORDER BY d.recipient) FILTER (d.recipient IS NOT NULL) AS recipients
FROM core.flag f
JOIN core.dataset_name n ON n.id = f.dataset
LEFT JOIN core.declaration d ON d.id = f.declaration

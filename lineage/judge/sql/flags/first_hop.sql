-- The job, run and source of the hops of first breaches. The relation in braces: the hops.
SELECT h.id AS hop, h.job, h.run, d.text AS source
FROM {rows} h
JOIN core.dataset_name d ON d.id = h.source

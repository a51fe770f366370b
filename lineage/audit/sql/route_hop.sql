-- Some hops, with the name of their source.
SELECT h.id, h.run, h.job, CAST(h.source AS BIGINT) AS source, s.text AS source_text, h.keeps_id
FROM {rows} h
JOIN core.dataset_name s ON s.id = h.source

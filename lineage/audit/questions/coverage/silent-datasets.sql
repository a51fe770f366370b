-- Which datasets were declared, and hold no message, or none of late?
--
-- Of the latest declaration of each dataset.
--
-- $since (timestamp, default null): Also those in which nothing arrived from this instant on.
WITH latest AS (
    SELECT dataset, arg_max({'kind': kind, 'party': party, 'recipient': recipient}, declared_at) AS told,
        min(declared_at) AS declared_at
    FROM dataset
    GROUP BY dataset
),
heard AS (
    SELECT n.text AS dataset, max(a.arrived_at) AS until
    FROM core.arrival a
    JOIN core.dataset_name n ON n.id = a.dataset
    GROUP BY n.text
)
SELECT l.dataset, l.told.kind, l.told.party, l.told.recipient, l.declared_at, h.until
FROM latest l
LEFT JOIN heard h USING (dataset)
WHERE h.until IS NULL OR h.until < $since
ORDER BY dataset

-- Which events of a table are of no origin that is there, or were read beyond the position?
SELECT CASE WHEN o.id IS NULL THEN 'an origin that is not there'
    ELSE o.source || ', partition ' || o.partition || ', beyond its position ' || p.next_offset
    END AS place, count(*), min(t.position)
FROM core.{table} t
LEFT JOIN core.origin o ON o.id = t.origin
LEFT JOIN core.ingest_position p ON p.topic = o.source AND p.partition = o.partition
WHERE t.origin IS NOT NULL AND (o.id IS NULL OR t.position >= p.next_offset)
GROUP BY place
LIMIT 10

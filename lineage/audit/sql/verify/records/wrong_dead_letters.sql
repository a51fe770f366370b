-- Which dead letters cannot be?
SELECT d.source, d.position, CASE
    WHEN p.topic IS NOT NULL THEN 'it was read beyond the position ' || p.next_offset
    ELSE 'its place, SHA-256 or reason cannot be' END
FROM core.dead_letter d
LEFT JOIN core.ingest_position p
    ON p.topic = d.source AND p.partition = d.partition AND d.position >= p.next_offset
WHERE p.topic IS NOT NULL OR d.source IS NULL OR coalesce(d.position, -1) < 0
    OR coalesce(d.partition, -1) < 0 OR d.reason IS NULL
    OR NOT regexp_full_match(coalesce(d.sha256, ''), '[0-9a-f]{64}')
UNION ALL
SELECT source, position, 'it is there ' || count(*) || ' times'
FROM core.dead_letter
GROUP BY source, partition, position, sha256
HAVING count(*) > 1
LIMIT 10

-- Which positions cannot be?
SELECT topic, partition, CASE WHEN count(*) > 1 THEN 'it has ' || count(*) || ' positions'
    ELSE 'the position ' || coalesce(CAST(min(next_offset) AS VARCHAR), 'null') || ' cannot be' END
FROM core.ingest_position
GROUP BY topic, partition
HAVING count(*) > 1 OR count(topic) = 0 OR coalesce(min(partition), -1) < 0
    OR coalesce(min(next_offset), -1) < 0
UNION ALL
SELECT topic, NULL, 'it has ' || count(*) || ' identities'
FROM core.ingest_topic
GROUP BY topic
HAVING count(*) > 1 OR count(topic) = 0
UNION ALL
-- Either all topics with positions have an identity, or none: who gives positions need give none.
SELECT DISTINCT topic, NULL, 'it has a position and no identity'
FROM core.ingest_position
ANTI JOIN core.ingest_topic USING (topic)
WHERE EXISTS (FROM core.ingest_topic)

-- How far is each partition recorded?
FROM ingest_position ORDER BY topic, partition

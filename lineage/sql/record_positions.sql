-- Note how far the partitions of the batch have been recorded.
DELETE FROM core.ingest_position
WHERE (topic, partition) IN (SELECT (topic, partition) FROM given);
INSERT INTO core.ingest_position BY NAME FROM given

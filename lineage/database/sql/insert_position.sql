-- Note how far each partition has been recorded.
INSERT INTO core.ingest_position SELECT topic, partition, next_offset FROM given

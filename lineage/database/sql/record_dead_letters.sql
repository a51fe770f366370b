-- Insert new dead letters, one for each place that a value was read from.
INSERT INTO core.dead_letter
SELECT d.source, d.partition, d.position, d.reason, d.sha256, CAST($at AS TIMESTAMP)
FROM batch_dead_letter d
ANTI JOIN core.dead_letter k USING (source, partition, position, sha256)

-- The arrivals of stale messages, and when they were recorded. In braces: the table to be made.
CREATE OR REPLACE TEMP TABLE {retracted} AS
SELECT message, hop, dataset, record, arrived_at, recorded_at
FROM core.arrival
WHERE message IN (SELECT message FROM stale_message)

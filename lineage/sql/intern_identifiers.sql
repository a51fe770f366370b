-- Keep new ids; canonical UUIDs in 16 bytes.
INSERT INTO core.identifier
SELECT n, CASE WHEN is_uuid THEN CAST(text AS UUID) END, CASE WHEN NOT is_uuid THEN text END
FROM interning_batch

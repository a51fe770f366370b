-- What arrived in the dataset with the key $dataset, in the order in which it was recorded, from the
-- row $after on. Without ORDER BY: rows come as they are stored, and the scan ends at the limit.
WITH part AS MATERIALIZED (
    SELECT rowid AS row, message, hop, record, operation, arrived_at, identifiable
    FROM core.arrival
    WHERE dataset = $dataset AND rowid > $after
    LIMIT $most
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM (SELECT message AS id FROM part UNION ALL SELECT hop FROM part UNION ALL SELECT record FROM part)
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT r.text AS record_id, m.text AS message_id, h.text AS hop_id,
    core.operation_label(s.operation) AS operation, s.arrived_at, s.identifiable, s.row AS number
FROM part s
JOIN name r ON r.id = s.record
JOIN name m ON m.id = s.message
LEFT JOIN name h ON h.id = s.hop
ORDER BY s.row

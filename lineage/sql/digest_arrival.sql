-- A line for each arrival.
SELECT to_json([
    message_id, hop_id, dataset, record_id, operation, CAST(epoch_us(arrived_at) AS VARCHAR),
    CAST(identifiable AS VARCHAR)]) AS line
FROM arrival

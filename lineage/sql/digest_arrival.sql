-- A line for each arrival. Of the messages whose ids are from $first to $last.
SELECT to_json([
    m.id, h.id, d.text, r.id, core.operation_word(a.operation),
    CAST(epoch_us(a.arrived_at) AS VARCHAR), CAST(a.identifiable AS VARCHAR)]) AS line
FROM core.arrival a
JOIN core.identity m ON m.n = a.m
JOIN core.identity r ON r.n = a.rec
JOIN core.dataset_name d ON d.n = a.ds
LEFT JOIN core.identity h ON h.n = a.h
WHERE a.m BETWEEN $first AND $last

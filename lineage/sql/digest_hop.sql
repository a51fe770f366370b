-- A line for each hop, with the sets of its inputs and outputs. Of the ids from $first to $last.
SELECT to_json([
    i.id, r.id, h.job, core.operation_word(h.operation), s.text, t.text, h.method,
    CAST(h.k AS VARCHAR), CAST(epoch_us(h.moved_at) AS VARCHAR),
    CAST(to_json(x.inputs) AS VARCHAR), CAST(to_json(o.outputs) AS VARCHAR)]) AS line
FROM core.hop h
JOIN core.identity i USING (n)
JOIN core.identity r ON r.n = h.run
JOIN core.dataset_name s ON s.n = h.source
JOIN core.dataset_name t ON t.n = h.target
JOIN (
    SELECT q.h, list(e.id ORDER BY e.id) AS inputs
    FROM core.hop_input q
    JOIN core.identity e ON e.n = q.rec
    WHERE q.h BETWEEN $first AND $last
    GROUP BY q.h
) x ON x.h = h.n
LEFT JOIN (
    SELECT q.h, list(e.id ORDER BY e.id) AS outputs
    FROM core.hop_output q
    JOIN core.identity e ON e.n = q.rec
    WHERE q.h BETWEEN $first AND $last
    GROUP BY q.h
) o ON o.h = h.n
WHERE h.n BETWEEN $first AND $last

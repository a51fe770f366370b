-- What could not be read, by reason?
--
-- One row a source and reason.
SELECT source, reason, count(*) AS letters, min(position) AS first_position,
    min(recorded_at) AS first_at, max(recorded_at) AS last_at
FROM dead_letter
GROUP BY ALL
ORDER BY letters DESC, source, reason

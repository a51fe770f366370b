-- How many dead letters are there by source and reason?
SELECT source, reason, count(*) AS dead_letters, min(recorded_at) AS first_recorded_at,
    max(recorded_at) AS last_recorded_at
FROM core.dead_letter
GROUP BY source, reason
ORDER BY dead_letters DESC, source, reason
LIMIT $most

-- What is new since an instant?
--
-- What the tracker recorded from then on: events by type, arrivals by dataset, flags by rule and
-- status, dead letters by source. Its own clock counts, not the instants of the events.
--
-- $since (timestamp): The instant, UTC.
SELECT 'event' AS what, 'MessageSent' AS name, count(*) AS count, min(recorded_at) AS first_at,
    max(recorded_at) AS last_at
FROM core.message WHERE recorded_at >= $since HAVING count(*) > 0
UNION ALL
SELECT 'event', 'RecordsMoved', count(*), min(recorded_at), max(recorded_at)
FROM core.hop WHERE recorded_at >= $since HAVING count(*) > 0
UNION ALL
SELECT 'event', 'ConsentChanged', count(*), min(recorded_at), max(recorded_at)
FROM core.consent_change WHERE recorded_at >= $since HAVING count(*) > 0
UNION ALL
SELECT 'event', 'DatasetDeclared', count(*), min(recorded_at), max(recorded_at)
FROM core.declaration WHERE recorded_at >= $since HAVING count(*) > 0
UNION ALL
SELECT 'event', 'PolicyPublished', count(*), min(recorded_at), max(recorded_at)
FROM core.policy WHERE recorded_at >= $since HAVING count(*) > 0
UNION ALL
SELECT 'arrival', n.text, count(*), min(a.recorded_at), max(a.recorded_at)
FROM core.arrival a JOIN core.dataset_name n ON n.id = a.dataset
WHERE a.recorded_at >= $since GROUP BY n.text
UNION ALL
SELECT 'flag ' || lower(status), rule, count(*), min(recorded_at), max(recorded_at)
FROM flag_history WHERE recorded_at >= $since GROUP BY status, rule
UNION ALL
SELECT 'dead letter', source, count(*), min(recorded_at), max(recorded_at)
FROM dead_letter WHERE recorded_at >= $since GROUP BY source
ORDER BY what, name

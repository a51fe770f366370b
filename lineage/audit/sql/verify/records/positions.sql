-- How many partitions and records were read, how many of the records are events and dead letters,
-- and how often were records gone before they were read? A record that is neither repeats an event,
-- lost a conflict, or is the mark of a transaction.
WITH event AS (
    SELECT origin, position FROM core.message
    UNION ALL
    SELECT origin, position FROM core.hop
    UNION ALL
    SELECT origin, position FROM core.consent_change
    UNION ALL
    SELECT origin, position FROM core.declaration
    UNION ALL
    SELECT origin, position FROM core.policy WHERE id <> 0
    UNION ALL
    SELECT origin, position FROM core.run_report
),
read AS (
    SELECT o.id
    FROM core.origin o
    SEMI JOIN core.ingest_position p ON p.topic = o.source AND p.partition = o.partition
)
SELECT
    (SELECT count(*) FROM core.ingest_position) AS partitions,
    (SELECT coalesce(sum(next_offset), 0)::BIGINT FROM core.ingest_position) AS records,
    (SELECT count(*) FROM event SEMI JOIN read ON read.id = event.origin) AS events,
    count(*) FILTER (p.topic IS NOT NULL) AS letters_of_topics,
    count(*) AS letters,
    count(*) FILTER (reason LIKE 'offsets % were deleted from the topic before they were read%')
FROM core.dead_letter d
LEFT JOIN core.ingest_position p ON p.topic = d.source AND p.partition = d.partition

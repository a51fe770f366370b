-- How many partitions and records were read, how many dead letters are there, and how often were
-- records gone before they were read?
SELECT
    (SELECT count(*) FROM core.ingest_position),
    (SELECT coalesce(sum(next_offset), 0)::BIGINT FROM core.ingest_position),
    count(*),
    count(*) FILTER (reason LIKE 'offsets % were deleted from the topic before they were read%')
FROM core.dead_letter

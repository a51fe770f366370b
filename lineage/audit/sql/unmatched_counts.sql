-- How many inputs of hops held nothing, by reason; and how many of these are of datasets in which
-- no message ever was, whose records usually are other things.
WITH carrying AS MATERIALIZED (
    SELECT d.text
    FROM (SELECT DISTINCT dataset FROM core.arrival) a
    JOIN core.dataset_name d ON d.id = a.dataset
)
SELECT
    count(*) FILTER (reason = 'SEEN_LATER') AS seen_later,
    count(*) FILTER (reason = 'SPELLED_LIKE') AS spelled_like,
    count(*) FILTER (reason = 'NEVER_SEEN' AND source IN (FROM carrying)) AS never_seen,
    count(*) FILTER (reason = 'NEVER_SEEN' AND source NOT IN (FROM carrying)) AS in_other_datasets
FROM unmatched_input

-- How much is recorded? When was something recorded last, and how many events in the minute until then?
WITH last AS (
    SELECT greatest(
        (SELECT max(recorded_at) FROM core.message), (SELECT max(recorded_at) FROM core.hop),
        (SELECT max(recorded_at) FROM core.consent_change),
        (SELECT max(recorded_at) FROM core.declaration), (SELECT max(recorded_at) FROM core.policy),
        (SELECT max(recorded_at) FROM core.run_report)) AS latest
)
SELECT (SELECT count(*) FROM core.message) AS messages, (SELECT count(*) FROM core.hop) AS hops,
    (SELECT count(*) FROM core.arrival) AS arrivals, (SELECT count(*) FROM core.flag) AS flags,
    (SELECT count(*) FROM core.dead_letter) AS dead_letters,
    (SELECT count(DISTINCT (event, id)) FROM core.conflict) AS conflicts,
    (SELECT latest FROM last) AS recorded_at,
    (SELECT count(*) FROM core.message WHERE recorded_at > (SELECT latest FROM last) - INTERVAL 1 MINUTE)
        + (SELECT count(*) FROM core.hop WHERE recorded_at > (SELECT latest FROM last) - INTERVAL 1 MINUTE)
        AS last_minute

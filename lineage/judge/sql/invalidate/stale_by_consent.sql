-- Which messages arrived where since a party's consent changed? $since: the earliest change of the
-- batch, in microseconds. The relation in braces has (at least) the parties of messages that
-- arrived since then.
WITH changed AS MATERIALIZED (
    SELECT member, min(effective_at) AS since_at FROM changed_consent GROUP BY member
),
-- One row a message, so that the planner can join by an equality.
since AS MATERIALIZED (
    SELECT p.message, min(c.since_at) AS since_at
    FROM {party} p
    JOIN changed c USING (member)
    GROUP BY p.message
)
SELECT a.message, a.dataset
FROM core.arrival a
JOIN since s ON s.message = a.message AND a.arrived_at >= s.since_at
WHERE a.arrived_at >= make_timestamp($since)

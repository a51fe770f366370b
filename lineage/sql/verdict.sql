-- The flags as they stand after the batch, for all that it may change. What is judged anew counts
-- from its breaches alone; elsewhere new breaches add to the standing flag. The first breach
-- (ties: the smaller hop id, the origin first) names hop, policy and severity.
CREATE OR REPLACE TEMP TABLE verdict AS
WITH piece AS (
    SELECT rule, severity, m, message_id, ds, policy, arrived_at AS first_at,
        arrived_at AS last_at, 1 AS arrivals, hop_id AS first_hop
    FROM breach
    UNION ALL
    SELECT rule, severity, m, message_id, ds, policy, first_at, last_at, arrivals, first_hop
    FROM standing ANTI JOIN {touched} USING (m, ds)
),
placed AS (SELECT *, row(first_at, first_hop) AS place FROM piece)
SELECT rule, arg_min(severity, place) AS severity, m, any_value(message_id) AS message_id, ds,
    arg_min(policy, place) AS policy, min(first_at) AS first_at, max(last_at) AS last_at,
    CAST(sum(arrivals) AS BIGINT) AS arrivals, arg_min(first_hop, place) AS first_hop
FROM placed
GROUP BY rule, m, ds

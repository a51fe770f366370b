-- The flags as they stand after the batch, for all that it may change. What is judged anew counts
-- from its breaches alone; elsewhere new breaches add to the standing flag. The first breach
-- (ties: the smaller hop id, the origin first) names hop, policy and severity.
CREATE OR REPLACE TEMP TABLE verdict AS
WITH piece AS (
    SELECT rule, severity, m, ds, policy, arrived_at AS first_at, arrived_at AS last_at,
        1 AS arrivals, h AS first_hop
    FROM breach
    UNION ALL
    SELECT rule, severity, m, ds, policy, first_at, last_at, arrivals, first_hop
    FROM standing ANTI JOIN {touched} USING (m, ds)
),
-- Only where two hops did it at the same instant is it asked which id is the smaller.
tied AS (
    SELECT DISTINCT first_hop
    FROM (
        SELECT first_hop, min(first_hop) OVER same <> max(first_hop) OVER same AS differ
        FROM piece
        WINDOW same AS (PARTITION BY rule, m, ds, first_at)
    )
    WHERE differ
),
hop_name AS (SELECT n AS first_hop, id FROM core.identity JOIN tied ON tied.first_hop = n),
named AS (
    SELECT piece.*, row(first_at, coalesce(hop_name.id, '')) AS place
    FROM piece LEFT JOIN hop_name USING (first_hop)
)
SELECT rule, arg_min(severity, place) AS severity, m, ds, arg_min(policy, place) AS policy,
    min(first_at) AS first_at, max(last_at) AS last_at, CAST(sum(arrivals) AS BIGINT) AS arrivals,
    arg_min(first_hop, place) AS first_hop
FROM named
GROUP BY rule, m, ds

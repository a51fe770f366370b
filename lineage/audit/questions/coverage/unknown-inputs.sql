-- Which hops read records that nobody knows?
--
-- Inputs that held no message at the hop's instant, by job and source; the reasons are explained under
-- `unmatched_input`.
SELECT job, source, reason, count(*) AS inputs, count(DISTINCT hop_id) AS hops,
    min(moved_at) AS first_at, max(moved_at) AS last_at, min(hop_id) AS a_hop
FROM unmatched_input
GROUP BY ALL
ORDER BY inputs DESC, job, source, reason

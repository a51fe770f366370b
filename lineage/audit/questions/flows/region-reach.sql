-- What is reached by messages of a region, and where was the region exempt from AI training?
--
-- One row a dataset and policy: the messages with a sender or recipient in the region.
--
-- $region (text): ISO 3166 alpha-2 code, as DE.
WITH place AS MATERIALIZED (FROM core.dataset_span),
own AS MATERIALIZED (
    SELECT DISTINCT message FROM core.message_party WHERE region = core.region_code($region)
),
reached AS (
    SELECT a.message, a.dataset, a.arrived_at FROM core.arrival a SEMI JOIN own USING (message)
)
SELECT s.name AS dataset, s.kind, s.recipient, s.policy_id,
    list_contains(s.exempt_regions, core.region_code($region)) AS exempt,
    count(DISTINCT r.message) AS messages, min(r.arrived_at) AS since, max(r.arrived_at) AS until
FROM reached r
JOIN place s ON s.dataset = r.dataset AND r.arrived_at >= s.from_at AND r.arrived_at < s.until_at
GROUP BY ALL
ORDER BY exempt DESC, messages DESC, dataset, policy_id

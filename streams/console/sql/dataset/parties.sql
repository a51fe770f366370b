-- Of whom are the messages of a sample of what arrived in the dataset with the key $dataset?
WITH part AS MATERIALIZED (
    SELECT DISTINCT message FROM (SELECT message FROM core.arrival WHERE dataset = $dataset LIMIT $most)
)
SELECT core.tier_label(y.tier) AS tier, core.region_label(y.region) AS region,
    count(DISTINCT y.message) AS messages, count(DISTINCT y.member) AS members
FROM core.message_party y
JOIN part s USING (message)
GROUP BY ALL
ORDER BY messages DESC, tier, region

-- A line for each message, with its parties in their order. Of the ids from $first to $last.
-- What is looked for goes by way of a list, as in macros.sql: so the hash tables are of the part.
WITH message AS MATERIALIZED (FROM core.message WHERE n BETWEEN $first AND $last),
party AS MATERIALIZED (FROM core.message_party WHERE n BETWEEN $first AND $last),
asked AS MATERIALIZED (SELECT unnest(list(n)) AS n FROM message),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
),
asked_member AS MATERIALIZED (SELECT unnest(list(DISTINCT member)) AS n FROM party),
member AS MATERIALIZED (FROM core.member JOIN (FROM asked_member WHERE n >= 0) USING (n))
SELECT to_json([
    i.id, core.channel_label(m.channel), d.text, CAST(epoch_us(m.sent_at) AS VARCHAR),
    '[' || y.parties || ']']) AS line
FROM message m
JOIN name i USING (n)
JOIN core.dataset_name d ON d.n = m.ds
JOIN (
    SELECT q.n,
        string_agg(CAST(to_json(row(core.role_label(q.role), b.text, core.tier_label(q.tier),
            core.region_label(q.region), q.ai_training_consent, q.third_party_consent)) AS VARCHAR),
            ',' ORDER BY q.ordinal) AS parties
    FROM party q
    JOIN member b ON b.n = q.member
    GROUP BY q.n
) y USING (n)

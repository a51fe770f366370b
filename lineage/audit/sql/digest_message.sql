-- A line for each message, with its parties in their order. Of the ids from $first to $last.
-- Wanted ids go by way of a list, as in macros.sql: so that the hash tables are of the part.
WITH part AS MATERIALIZED (FROM core.message WHERE id BETWEEN $first AND $last),
party AS MATERIALIZED (FROM core.message_party WHERE message BETWEEN $first AND $last),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id FROM ({ids})
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
),
asked_member AS MATERIALIZED (SELECT unnest(list(DISTINCT member)) AS id FROM party),
member AS MATERIALIZED (FROM core.member JOIN (FROM asked_member WHERE id >= 0) USING (id))
SELECT to_json([{line}, '[' || y.parties || ']']) AS line
FROM part t {joins}
JOIN (
    SELECT t.message,
        string_agg(CAST(to_json(row({party_line})) AS VARCHAR), ',' ORDER BY t.ordinal) AS parties
    FROM party t {party_joins}
    GROUP BY t.message
) y ON y.message = t.id

-- A line for each message, with its parties in their order. Of the ids from $first to $last.
SELECT to_json([
    i.id, core.channel_word(m.channel), d.text, CAST(epoch_us(m.sent_at) AS VARCHAR),
    CAST(to_json(y.parties) AS VARCHAR)]) AS line
FROM core.message m
JOIN core.identity i USING (n)
JOIN core.dataset_name d ON d.n = m.ds
JOIN (
    SELECT q.n,
        list(row(core.role_word(q.role), b.text, core.tier_word(q.tier),
            core.region_word(q.region), q.ai_training_consent, q.third_party_consent)
            ORDER BY q.ordinal) AS parties
    FROM core.message_party q
    JOIN core.member b ON b.n = q.member
    WHERE q.n BETWEEN $first AND $last
    GROUP BY q.n
) y USING (n)
WHERE m.n BETWEEN $first AND $last

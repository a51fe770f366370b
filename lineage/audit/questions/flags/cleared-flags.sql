-- Which flags were cleared, and why?
--
-- `because`: the consent changes of the message's parties, the declarations of the dataset and the
-- policies that the tracker learned of between raising and clearing, and that hold by the flag's last
-- breach. Empty: another hop or another version of an event changed the route.
WITH told AS (
    SELECT *, lag(recorded_at) OVER same AS raised_at
    FROM core.flag_history
    WINDOW same AS (PARTITION BY rule, message, dataset ORDER BY seq)
),
-- What came with the flag's raising is no news, unless one replay recorded all.
cleared AS MATERIALIZED (
    SELECT *, raised_at + CASE WHEN raised_at < recorded_at THEN INTERVAL 1 MICROSECOND
        ELSE INTERVAL 0 SECOND END AS news_from
    FROM told
    WHERE status = 'CLEARED'
),
cause AS (
    SELECT c.seq, 'ConsentChanged' AS event, e.id
    FROM cleared c
    JOIN core.message_party p ON p.message = c.message
    JOIN core.consent_change e ON e.member = p.member AND e.effective_at <= c.last_at
        AND e.recorded_at BETWEEN c.news_from AND c.recorded_at
    UNION
    SELECT c.seq, 'DatasetDeclared', e.id
    FROM cleared c
    JOIN core.declaration e ON e.dataset = c.dataset AND e.declared_at <= c.last_at
        AND e.recorded_at BETWEEN c.news_from AND c.recorded_at
    UNION
    SELECT c.seq, 'PolicyPublished', e.id
    FROM cleared c
    JOIN core.policy e ON e.effective_at <= c.last_at
        AND e.recorded_at BETWEEN c.news_from AND c.recorded_at
),
why AS (
    SELECT c.seq, list(c.event || ' ' || i.text ORDER BY c.event, i.text) AS because
    FROM cause c
    JOIN core.identity i USING (id)
    GROUP BY c.seq
)
SELECT c.recorded_at AS cleared_at, c.raised_at, c.rule, c.message_id, n.text AS dataset,
    coalesce(w.because, []) AS because
FROM cleared c
JOIN core.dataset_name n ON n.id = c.dataset
LEFT JOIN why w USING (seq)
ORDER BY c.seq

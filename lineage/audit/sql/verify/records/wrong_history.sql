-- Where does the history of a flag not come to what stands?
WITH changed AS (
    SELECT rule, message, dataset, min(message_id) AS message_id,
        count(*) FILTER (status = 'RAISED') AS raised,
        count(*) FILTER (status = 'CLEARED') AS cleared
    FROM core.flag_history
    GROUP BY ALL
)
SELECT coalesce(c.rule, f.rule), coalesce(c.message_id, f.message_id),
    CASE WHEN f.rule IS NULL THEN 'was raised and not cleared, and does not stand'
        WHEN c.rule IS NULL THEN 'stands and was never raised'
        ELSE 'was raised ' || c.raised || ' and cleared ' || c.cleared || ' times, and stands' END
FROM changed c
FULL JOIN core.flag f ON f.rule = c.rule AND f.message = c.message AND f.dataset = c.dataset
WHERE coalesce(c.raised, 0) - coalesce(c.cleared, 0) <> CASE WHEN f.rule IS NULL THEN 0 ELSE 1 END
LIMIT 10

-- Keep what was raised and what was cleared. $seq: the last number in use, $at: when (or null).
INSERT INTO core.flag_history
SELECT
    $seq + row_number() OVER (ORDER BY status, rule, m, ds), status, rule, severity, m,
    message_id, ds, policy, first_at, last_at, arrivals, first_hop, CAST($at AS TIMESTAMP)
FROM (
    SELECT 'RAISED' AS status, * FROM verdict ANTI JOIN standing USING (rule, m, ds)
    UNION ALL
    SELECT 'CLEARED', * FROM standing ANTI JOIN verdict USING (rule, m, ds)
)

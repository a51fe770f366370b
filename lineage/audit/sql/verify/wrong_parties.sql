-- Which messages have not exactly one sender, no recipient, or a place twice or left out? Of the
-- messages whose ids are from $first to $last.
SELECT message
FROM core.message_party
WHERE message BETWEEN $first AND $last
GROUP BY message
HAVING count(*) FILTER (role = core.role_code('SENDER')) <> 1
    OR count(*) FILTER (role = core.role_code('RECIPIENT')) = 0
    OR count(DISTINCT ordinal) <> count(*) OR max(ordinal) <> count(*) - 1

-- The channels of the messages `wanted`. The relation in braces has (at least) these messages.
SELECT n, CAST(channel AS BIGINT) AS channel
FROM {near}
SEMI JOIN wanted USING (n)

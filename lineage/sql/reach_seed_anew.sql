-- Where do those messages begin whose routes are derived anew? New versions among them have been
-- seeded as new messages.
INSERT INTO frontier
SELECT n, 0, ds, n, 'SEND', sent_at, true, 'NEW'
FROM core.message
WHERE n IN (SELECT m FROM dirty) AND n NOT IN (SELECT m FROM frontier)

-- The flags that the batch may change: those of new breaches, and of what is judged anew, which the
-- relation in braces has.
CREATE OR REPLACE TEMP TABLE standing AS
SELECT f.*
FROM core.flag f
JOIN (SELECT m, ds FROM breach UNION SELECT m, ds FROM {touched}) q ON f.m = q.m AND f.ds = q.ds

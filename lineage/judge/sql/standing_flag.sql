-- The flags that stand for what a relation, in braces, has.
SELECT * REPLACE (CAST(severity AS VARCHAR) AS severity, CAST(ds AS BIGINT) AS ds)
FROM core.flag
SEMI JOIN {relation} USING (m, ds)

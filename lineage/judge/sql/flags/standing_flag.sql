-- The flags that stand for some messages in some datasets.
SELECT * REPLACE (CAST(severity AS VARCHAR) AS severity, CAST(dataset AS BIGINT) AS dataset)
FROM core.flag
SEMI JOIN judged_pair USING (message, dataset)

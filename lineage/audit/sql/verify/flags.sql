-- Flags, with labels as texts and keys as integers of one width.
SELECT * REPLACE (CAST(severity AS VARCHAR) AS severity, CAST(dataset AS BIGINT) AS dataset)
FROM {rows}

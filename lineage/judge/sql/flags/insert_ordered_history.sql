-- Insert the flags raised and cleared of a part that was changed in portions, in the order of one
-- that was not. $seq: the last seq before. In braces: the changes. The variable `recorded_at`: the
-- instant of recording (or null).
INSERT INTO core.flag_history BY NAME
SELECT $seq + row_number() OVER (ORDER BY status, rule, message, dataset) AS seq, *,
    CAST(getvariable('recorded_at') AS TIMESTAMP) AS recorded_at
FROM {changes}

-- Insert the flags raised and cleared. The variable `recorded_at`: the instant of
-- recording (or null).
INSERT INTO core.flag_history BY NAME
SELECT *, CAST(getvariable('recorded_at') AS TIMESTAMP) AS recorded_at FROM flag_change

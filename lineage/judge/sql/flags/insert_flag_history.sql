-- Insert the flags raised and cleared. $at: the instant of recording (or null).
INSERT INTO core.flag_history BY NAME
SELECT *, CAST($at AS TIMESTAMP) AS recorded_at FROM flag_change

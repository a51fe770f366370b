-- Keep what was raised and what was cleared. $at: when (or null).
INSERT INTO core.flag_history BY NAME
SELECT *, CAST($at AS TIMESTAMP) AS recorded_at FROM flag_change

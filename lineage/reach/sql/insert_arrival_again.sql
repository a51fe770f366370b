-- Insert new arrivals; those that were retracted with the instant at which they were recorded first.
-- In braces: the table of what was retracted. The variable `recorded_at`: the instant of recording (or null).
INSERT INTO core.arrival BY NAME
SELECT n.*,
    CASE
        WHEN r.message IS NULL THEN CAST(getvariable('recorded_at') AS TIMESTAMP)
        ELSE r.recorded_at
    END AS recorded_at
FROM new_arrival n
LEFT JOIN {retracted} r USING (message, hop, dataset, record, arrived_at)

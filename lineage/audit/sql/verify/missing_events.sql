-- How many of these events are not there?
SELECT count(*)
FROM (SELECT unnest($ids) AS id) w
ANTI JOIN core.{table} t USING (id)

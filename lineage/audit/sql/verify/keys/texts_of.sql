-- The texts of some keys.
SELECT id, {text} FROM core.{table} WHERE id IN (SELECT unnest($ids))

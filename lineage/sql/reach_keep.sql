-- Add the frontier to what the batch made arrive. stored: an arrival of an earlier batch that is
-- now known to be identifiable.
INSERT INTO arrived
SELECT m, h, ds, rec, arrived_at, identifiable, known = 'STORE' FROM frontier
WHERE known <> 'BATCH'

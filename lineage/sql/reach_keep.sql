-- Add the frontier to what the batch made arrive.
INSERT INTO arrived
SELECT * EXCLUDE (known), known = 'STORE' FROM frontier WHERE known <> 'BATCH'

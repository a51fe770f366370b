-- The policies numbered in `given`, in the columns of a batch.
SELECT p.n AS row, p.policy_id, p.effective_at, p.disclosed_at, p.document
FROM given c
JOIN core.policy p USING (n)

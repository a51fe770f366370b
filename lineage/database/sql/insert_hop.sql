-- Record the batch's new hops.
INSERT INTO core.hop
SELECT n, run, job, operation, source, target, method, k, moved_at, keeps_id, declassifies
FROM given

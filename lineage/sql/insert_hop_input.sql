-- Record what the batch's new hops read.
INSERT INTO core.hop_input
SELECT h, rec, source, target, operation, keeps_id, declassifies, moved_at FROM fresh_hop_input

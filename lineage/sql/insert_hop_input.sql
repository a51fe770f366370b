-- Record what the batch's new hops read.
INSERT INTO core.hop_input SELECT h, rec, source, target, keeps_id, moved_at FROM fresh_hop_input

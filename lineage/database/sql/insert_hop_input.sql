-- Record what the batch's new hops read.
INSERT INTO core.hop_input SELECT h, rec FROM given

-- Record what the batch's new hops wrote.
INSERT INTO core.hop_output SELECT h, rec FROM given

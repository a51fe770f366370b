-- Keep new ids that are canonical UUIDs, in 16 bytes.
INSERT INTO core.identifier SELECT n, id, NULL FROM given

-- Keep new ids that are any other text.
INSERT INTO core.identifier SELECT n, NULL, id FROM given

-- Keep new profiles; their text is channel|tiers|regions|AI training tags|third-party tags.
INSERT INTO core.profile
SELECT
    n, text, split_part(text, '|', 1), split_part(text, '|', 2),
    string_split(split_part(text, '|', 3), ','),
    split_part(text, '|', 4), split_part(text, '|', 5)
FROM interning_batch

-- Keep new names of datasets.
INSERT INTO core.dataset_name SELECT n, text FROM given

-- The key of a dataset.
SELECT id FROM core.dataset_name WHERE text = $dataset

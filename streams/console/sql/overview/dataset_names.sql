-- The names of datasets by their keys.
FROM core.dataset_name

-- Insert new names of datasets.
INSERT INTO core.dataset_name SELECT id, text FROM new_text

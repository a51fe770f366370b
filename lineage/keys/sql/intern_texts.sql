-- Insert new ids that are any other text.
INSERT INTO core.identifier SELECT id, NULL, text FROM new_text

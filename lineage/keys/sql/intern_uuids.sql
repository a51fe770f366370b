-- Insert new ids that are canonical UUIDs, in 16 bytes.
INSERT INTO core.identifier SELECT id, uuid, NULL FROM new_uuid

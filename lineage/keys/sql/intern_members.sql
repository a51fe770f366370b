-- Insert new ids of members.
INSERT INTO core.member SELECT id, text FROM new_text

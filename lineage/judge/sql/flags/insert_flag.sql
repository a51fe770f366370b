-- Insert the flags as they stand now.
INSERT INTO core.flag BY NAME FROM changed_flag

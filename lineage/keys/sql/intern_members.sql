-- Keep new ids of members.
INSERT INTO core.member SELECT n, text FROM given

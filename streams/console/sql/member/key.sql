-- The key of a member.
SELECT id FROM core.member WHERE text = $member

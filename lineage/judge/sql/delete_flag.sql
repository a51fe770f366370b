-- Make room for flags as they stand now.
DELETE FROM core.flag
USING given s
WHERE core.flag.m = s.m AND core.flag.ds = s.ds AND core.flag.rule = s.rule

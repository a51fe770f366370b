-- Make room for flags as they stand now.
DELETE FROM core.flag
USING standing_flag s
WHERE core.flag.message = s.message AND core.flag.dataset = s.dataset AND core.flag.rule = s.rule

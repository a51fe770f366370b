-- Make room for the verdict. A standing flag on other rules than the new breaches' stays.
DELETE FROM core.flag
USING standing s
WHERE core.flag.m = s.m AND core.flag.ds = s.ds AND core.flag.rule = s.rule AND (
    EXISTS (FROM {touched} t WHERE t.m = s.m AND t.ds = s.ds)
    OR EXISTS (FROM verdict v WHERE v.m = s.m AND v.ds = s.ds AND v.rule = s.rule))

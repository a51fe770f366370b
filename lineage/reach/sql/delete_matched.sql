-- Inputs that hold a message by now are not unmatched.
DELETE FROM core.unmatched_input
USING matched m
WHERE core.unmatched_input.hop = m.hop AND core.unmatched_input.record = m.record

-- Insert inputs that hold no message any more, now that arrivals were taken back.
INSERT INTO core.unmatched_input
SELECT e.hop, e.record
FROM emptied e
ANTI JOIN core.unmatched_input u ON u.hop = e.hop AND u.record = e.record

-- What arrived since a party's consent changed? $since: the earliest change of the batch, in
-- microseconds. The relation in braces has the parties of (at least) what arrived since then.
INSERT INTO touched
SELECT DISTINCT a.m, a.ds
FROM (SELECT m, ds, arrived_at FROM core.arrival WHERE arrived_at >= make_timestamp($since)) a
JOIN {party} p ON p.n = a.m
JOIN changed_consent c ON c.member = p.member AND a.arrived_at >= c.effective_at

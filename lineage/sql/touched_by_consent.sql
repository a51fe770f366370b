-- What arrived since a party's consent changed? $since: the earliest change of the batch,
-- in microseconds.
INSERT INTO touched
SELECT DISTINCT a.m, a.ds
FROM (SELECT m, ds, arrived_at FROM core.arrival WHERE arrived_at >= make_timestamp($since)) a
JOIN core.message_party p ON p.n = a.m
JOIN changed_consent c ON c.member = p.member AND a.arrived_at >= c.effective_at

-- The arrivals that break a rule; none yet.
CREATE OR REPLACE TEMP TABLE breach AS
SELECT rule, severity, m, message_id, ds, policy, first_at AS arrived_at, first_hop AS hop_id
FROM core.flag
WHERE false

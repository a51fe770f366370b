-- The arrivals that break a rule; filled rule by rule.
CREATE OR REPLACE TEMP TABLE breach AS
SELECT rule, severity, m, ds, policy, first_at AS arrived_at, first_hop AS h, m AS rec
FROM core.flag
WHERE false

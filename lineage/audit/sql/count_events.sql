-- How many events are recorded?
SELECT (SELECT count(*) FROM core.message) + (SELECT count(*) FROM core.hop)
    + (SELECT count(*) FROM core.consent_change) + (SELECT count(*) FROM core.declaration)
    + (SELECT count(*) FROM core.policy WHERE id <> 0) + (SELECT count(*) FROM core.run_report)

-- Note a digest, with the number of events and arrivals that it is of.
INSERT INTO core.digest_note
SELECT coalesce((SELECT max(number) FROM core.digest_note), 0) + 1,
    CAST($at AS TIMESTAMP), $digest,
    (SELECT count(*) FROM core.message) + (SELECT count(*) FROM core.hop)
        + (SELECT count(*) FROM core.consent_change) + (SELECT count(*) FROM core.declaration)
        + (SELECT count(*) FROM core.policy WHERE id <> 0),
    (SELECT count(*) FROM core.arrival),
    true, $tables

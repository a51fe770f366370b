-- Note a digest, with the number of events and arrivals that it is of.
UPDATE core.format SET notes = notes + 1, note_holds = true;
UPDATE core.digest_note SET holds = false WHERE holds;
INSERT INTO core.digest_note
WITH noted AS (
    SELECT
        (SELECT notes FROM core.format) AS number,
        CAST($at AS TIMESTAMP) AS noted_at,
        $digest AS digest,
        (SELECT count(*) FROM core.message) + (SELECT count(*) FROM core.hop)
            + (SELECT count(*) FROM core.consent_change) + (SELECT count(*) FROM core.declaration)
            + (SELECT count(*) FROM core.policy WHERE id <> 0)
            + (SELECT count(*) FROM core.run_report) AS events,
        (SELECT count(*) FROM core.arrival) AS arrivals,
        $tables AS tables
)
SELECT number, noted_at, digest, events, arrivals, true, tables,
    sha256(CAST(to_json(noted) AS VARCHAR))
FROM noted

-- The note of a digest that was made last, whether it is as it was made, and how many there are by
-- the count beside them.
SELECT n.digest, n.noted_at, n.events, n.tables, n.holds,
    n.seal = sha256(CAST(to_json({
        number: n.number, noted_at: n.noted_at, digest: n.digest, events: n.events,
        arrivals: n.arrivals, tables: n.tables}) AS VARCHAR))
        AND n.number = f.notes AND n.holds = f.note_holds
        AND (SELECT count(*) FROM core.digest_note) = f.notes
FROM core.digest_note n, core.format f
ORDER BY n.number DESC
LIMIT 1

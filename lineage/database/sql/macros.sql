-- Questions that auditors ask again and again, as table macros. They look an id up by its number
-- first, so that the rest is found by the minimum and maximum of the row groups. What is looked for
-- goes by way of a list: the planner takes a recursion, and what comes of one, for larger than all
-- tables, and would build its hash tables of these. A condition on it, though it holds for all of
-- it, makes the planner ask each row of a scan whether a Bloom filter has it, before the join does.
-- Ids become text after the join, not before.

CREATE MACRO core.number_of(wanted) AS TABLE
SELECT n FROM core.identifier WHERE uuid = TRY_CAST(wanted AS UUID)
    AND CAST(uuid AS VARCHAR) = wanted
UNION ALL
SELECT n FROM core.identifier WHERE text = wanted;

-- The way of one message: a row for each arrival and each record that it came from.
CREATE MACRO route(wanted_message_id) AS TABLE
WITH own AS MATERIALIZED (
    SELECT a.*
    FROM core.arrival a
    JOIN (FROM core.number_of(wanted_message_id)) w ON a.m = w.n
),
carried AS MATERIALIZED (SELECT unnest(list(DISTINCT h)) AS h FROM own),
hop AS MATERIALIZED (SELECT h.* FROM core.hop h JOIN carried c ON h.n = c.h),
input AS MATERIALIZED (SELECT i.* FROM core.hop_input i JOIN carried USING (h)),
-- The records that held the message when the hop read them.
came_from AS (
    SELECT DISTINCT o.h, o.rec, h.source, i.rec AS source_rec
    FROM own o
    JOIN hop h ON h.n = o.h
    JOIN input i ON i.h = o.h AND (NOT h.keeps_id OR i.rec = o.rec)
    SEMI JOIN own p ON p.ds = h.source AND p.rec = i.rec AND p.arrived_at <= o.arrived_at
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT n)) AS n
    FROM (
        SELECT rec AS n FROM own UNION ALL SELECT h FROM own UNION ALL SELECT run FROM hop
        UNION ALL SELECT source_rec FROM came_from UNION ALL SELECT m FROM own
    )
),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
)
SELECT m.id AS message_id, hn.id AS hop_id, run.id AS run_id, h.job,
    core.operation_label(a.operation) AS operation,
    sd.text AS source, sr.id AS source_record_id, d.text AS dataset, r.id AS record_id,
    a.arrived_at, a.identifiable
FROM own a
JOIN name m ON m.n = a.m
JOIN name r ON r.n = a.rec
JOIN core.dataset_name d ON d.n = a.ds
LEFT JOIN hop h ON h.n = a.h
LEFT JOIN name hn ON hn.n = a.h
LEFT JOIN name run ON run.n = h.run
LEFT JOIN came_from c ON c.h = a.h AND c.rec = a.rec
LEFT JOIN core.dataset_name sd ON sd.n = c.source
LEFT JOIN name sr ON sr.n = c.source_rec
ORDER BY a.arrived_at, hop_id NULLS FIRST, dataset, record_id, source_record_id;

-- What flowed into a record: a row for each hop that brought something nearer to it. A hop counts
-- if it moved no later than the next hop on the way.
CREATE MACRO upstream(wanted_dataset, wanted_record_id) AS TABLE
WITH RECURSIVE way AS (
    SELECT d.n AS ds, w.n AS rec, TIMESTAMP 'infinity' AS until_at,
        CAST(NULL AS BIGINT) AS h, CAST(NULL AS INTEGER) AS to_ds, CAST(NULL AS BIGINT) AS to_rec
    FROM core.number_of(wanted_record_id) w, core.dataset_name d
    WHERE d.text = wanted_dataset
    UNION
    (
        WITH here AS MATERIALIZED (SELECT unnest(list(way), recursive := true) FROM way),
        found AS MATERIALIZED (
            SELECT unnest(list(hop), recursive := true)
            FROM (
                SELECT o.h, false AS keeps_id, w.* FROM core.hop_output o JOIN (FROM here WHERE rec > 0) w USING (rec)
                UNION ALL
                SELECT i.h, true, w.* FROM core.hop_input i JOIN (FROM here WHERE rec > 0) w USING (rec)
            ) hop
        ),
        moved AS MATERIALIZED (
            SELECT unnest(
                list({
                    'h': h.n, 'source': h.source, 'keeps_id': h.keeps_id, 'moved_at': h.moved_at,
                    'ds': w.ds, 'rec': w.rec
                }),
                recursive := true)
            FROM core.hop h
            JOIN found w ON h.n = w.h AND h.keeps_id = w.keeps_id AND h.target = w.ds
                AND h.moved_at <= w.until_at
        )
        SELECT source, rec, moved_at, h, ds, rec FROM moved WHERE keeps_id
        UNION ALL
        SELECT w.source, i.rec, w.moved_at, w.h, w.ds, w.rec
        FROM core.hop_input i
        JOIN (FROM moved WHERE NOT keeps_id) w USING (h)
    )
),
step AS MATERIALIZED (
    SELECT DISTINCT ds, rec, h, to_ds, to_rec FROM way WHERE h IS NOT NULL
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT n)) AS n
    FROM (
        SELECT rec AS n FROM step UNION ALL SELECT h FROM step UNION ALL SELECT to_rec FROM step
    )
),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
),
hop AS MATERIALIZED (
    SELECT h.n, h.job, h.operation, h.moved_at FROM core.hop h JOIN (FROM asked WHERE n > 0) USING (n)
)
SELECT d.text AS dataset, r.id AS record_id, hn.id AS hop_id, h.job,
    core.operation_label(h.operation) AS operation, h.moved_at,
    t.text AS to_dataset, tr.id AS to_record_id
FROM step w
JOIN hop h ON h.n = w.h
JOIN name r ON r.n = w.rec
JOIN name hn ON hn.n = w.h
JOIN name tr ON tr.n = w.to_rec
JOIN core.dataset_name d ON d.n = w.ds
JOIN core.dataset_name t ON t.n = w.to_ds
ORDER BY h.moved_at, hop_id, record_id, to_record_id;

-- Where a record flowed: a row for each hop that carried it, or what came of it, further on. A
-- hop counts if it moved no earlier than the hop before it on the way.
CREATE MACRO downstream(wanted_dataset, wanted_record_id) AS TABLE
WITH RECURSIVE way AS (
    SELECT d.n AS ds, w.n AS rec, TIMESTAMP '-infinity' AS from_at,
        CAST(NULL AS BIGINT) AS h, CAST(NULL AS INTEGER) AS from_ds,
        CAST(NULL AS BIGINT) AS from_rec
    FROM core.number_of(wanted_record_id) w, core.dataset_name d
    WHERE d.text = wanted_dataset
    UNION
    (
        WITH here AS MATERIALIZED (SELECT unnest(list(way), recursive := true) FROM way),
        found AS MATERIALIZED (
            SELECT unnest(list(read), recursive := true)
            FROM (SELECT i.h, w.* FROM core.hop_input i JOIN (FROM here WHERE rec > 0) w USING (rec)) read
        ),
        moved AS MATERIALIZED (
            SELECT unnest(
                list({
                    'h': h.n, 'target': h.target, 'keeps_id': h.keeps_id, 'moved_at': h.moved_at,
                    'ds': w.ds, 'rec': w.rec
                }),
                recursive := true)
            FROM core.hop h
            JOIN found w ON h.n = w.h AND h.source = w.ds AND h.moved_at >= w.from_at
        )
        SELECT target, rec, moved_at, h, ds, rec FROM moved WHERE keeps_id
        UNION ALL
        SELECT w.target, o.rec, w.moved_at, w.h, w.ds, w.rec
        FROM core.hop_output o
        JOIN moved w USING (h)
    )
),
step AS MATERIALIZED (
    SELECT DISTINCT ds, rec, h, from_ds, from_rec FROM way WHERE h IS NOT NULL
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT n)) AS n
    FROM (
        SELECT rec AS n FROM step UNION ALL SELECT h FROM step UNION ALL SELECT from_rec FROM step
    )
),
name AS MATERIALIZED (
    SELECT i.n, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS id
    FROM core.identifier i JOIN (FROM asked WHERE n > 0) USING (n)
),
hop AS MATERIALIZED (
    SELECT h.n, h.job, h.operation, h.moved_at FROM core.hop h JOIN (FROM asked WHERE n > 0) USING (n)
)
SELECT d.text AS dataset, r.id AS record_id, hn.id AS hop_id, h.job,
    core.operation_label(h.operation) AS operation, h.moved_at,
    f.text AS from_dataset, fr.id AS from_record_id
FROM step w
JOIN hop h ON h.n = w.h
JOIN name r ON r.n = w.rec
JOIN name hn ON hn.n = w.h
JOIN name fr ON fr.n = w.from_rec
JOIN core.dataset_name d ON d.n = w.ds
JOIN core.dataset_name f ON f.n = w.from_ds
ORDER BY h.moved_at, hop_id, from_record_id, record_id;

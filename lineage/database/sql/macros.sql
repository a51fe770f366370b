-- Frequent queries of auditors, as table macros. They look up the key of an id first, so that the
-- rest is found by zone maps (the minimum and maximum of row groups). Wanted keys go by way of a
-- list: the planner takes a recursion, and its results, for larger than all tables, and would build
-- its hash tables of the tables. A condition on the wanted keys, though it holds for all of them,
-- makes the planner probe a Bloom filter for each row of a scan, before the join. Ids become text
-- after the join, not before.

CREATE MACRO core.key_of(wanted) AS TABLE
SELECT id FROM core.identifier WHERE uuid = TRY_CAST(wanted AS UUID)
    AND CAST(uuid AS VARCHAR) = wanted
UNION ALL
SELECT id FROM core.identifier WHERE text = wanted;

-- The route of one message: a row for each arrival and each record that it came from.
CREATE MACRO route(wanted_message_id) AS TABLE
WITH own AS MATERIALIZED (
    SELECT a.*
    FROM core.arrival a
    JOIN (FROM core.key_of(wanted_message_id)) w ON a.message = w.id
),
carried AS MATERIALIZED (SELECT unnest(list(DISTINCT hop)) AS hop FROM own),
hop AS MATERIALIZED (SELECT h.* FROM core.hop h JOIN carried c ON h.id = c.hop),
input AS MATERIALIZED (SELECT i.* FROM core.hop_input i JOIN carried USING (hop)),
-- The records that held the message when the hop read them.
came_from AS (
    SELECT DISTINCT o.hop, o.record, h.source, i.record AS source_record
    FROM own o
    JOIN hop h ON h.id = o.hop
    JOIN input i ON i.hop = o.hop AND (NOT h.keeps_id OR i.record = o.record)
    SEMI JOIN own p ON p.dataset = h.source AND p.record = i.record AND p.arrived_at <= o.arrived_at
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM (
        SELECT record AS id FROM own UNION ALL SELECT hop FROM own UNION ALL SELECT run FROM hop
        UNION ALL SELECT source_record FROM came_from UNION ALL SELECT message FROM own
    )
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT m.text AS message_id, hn.text AS hop_id, run.text AS run_id, h.job,
    core.operation_label(a.operation) AS operation,
    sd.text AS source, sr.text AS source_record_id, d.text AS dataset, r.text AS record_id,
    a.arrived_at, a.identifiable
FROM own a
JOIN name m ON m.id = a.message
JOIN name r ON r.id = a.record
JOIN core.dataset_name d ON d.id = a.dataset
LEFT JOIN hop h ON h.id = a.hop
LEFT JOIN name hn ON hn.id = a.hop
LEFT JOIN name run ON run.id = h.run
LEFT JOIN came_from c ON c.hop = a.hop AND c.record = a.record
LEFT JOIN core.dataset_name sd ON sd.id = c.source
LEFT JOIN name sr ON sr.id = c.source_record
ORDER BY a.arrived_at, hop_id NULLS FIRST, dataset, record_id, source_record_id;

-- The records that flowed into a record: a row for each hop that brought one nearer. A hop counts
-- if it moved no later than the next hop on the way.
CREATE MACRO upstream(wanted_dataset, wanted_record_id) AS TABLE
WITH RECURSIVE way AS (
    SELECT d.id AS dataset, w.id AS record, TIMESTAMP 'infinity' AS until_at,
        CAST(NULL AS BIGINT) AS hop, CAST(NULL AS INTEGER) AS to_dataset, CAST(NULL AS BIGINT) AS to_record
    FROM core.key_of(wanted_record_id) w, core.dataset_name d
    WHERE d.text = wanted_dataset
    UNION
    (
        WITH here AS MATERIALIZED (SELECT unnest(list(way), recursive := true) FROM way),
        found AS MATERIALIZED (
            SELECT unnest(list(written), recursive := true)
            FROM (
                SELECT o.hop, false AS keeps_id, w.* FROM core.hop_output o JOIN (FROM here WHERE record > 0) w USING (record)
                UNION ALL
                SELECT i.hop, true, w.* FROM core.hop_input i JOIN (FROM here WHERE record > 0) w USING (record)
            ) written
        ),
        moved AS MATERIALIZED (
            SELECT unnest(
                list({
                    'hop': h.id, 'source': h.source, 'keeps_id': h.keeps_id, 'moved_at': h.moved_at,
                    'dataset': w.dataset, 'record': w.record
                }),
                recursive := true)
            FROM core.hop h
            JOIN found w ON h.id = w.hop AND h.keeps_id = w.keeps_id AND h.target = w.dataset
                AND h.moved_at <= w.until_at
        )
        SELECT source, record, moved_at, hop, dataset, record FROM moved WHERE keeps_id
        UNION ALL
        SELECT w.source, i.record, w.moved_at, w.hop, w.dataset, w.record
        FROM core.hop_input i
        JOIN (FROM moved WHERE NOT keeps_id) w USING (hop)
    )
),
step AS MATERIALIZED (
    SELECT DISTINCT dataset, record, hop, to_dataset, to_record FROM way WHERE hop IS NOT NULL
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM (
        SELECT record AS id FROM step UNION ALL SELECT hop FROM step UNION ALL SELECT to_record FROM step
    )
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
),
hop AS MATERIALIZED (
    SELECT h.id, h.job, h.operation, h.moved_at FROM core.hop h JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT d.text AS dataset, r.text AS record_id, hn.text AS hop_id, h.job,
    core.operation_label(h.operation) AS operation, h.moved_at,
    t.text AS to_dataset, tr.text AS to_record_id
FROM step w
JOIN hop h ON h.id = w.hop
JOIN name r ON r.id = w.record
JOIN name hn ON hn.id = w.hop
JOIN name tr ON tr.id = w.to_record
JOIN core.dataset_name d ON d.id = w.dataset
JOIN core.dataset_name t ON t.id = w.to_dataset
ORDER BY h.moved_at, hop_id, record_id, to_record_id;

-- Where a record flowed: a row for each hop that carried it, or what came of it, further on. A
-- hop counts if it moved no earlier than the hop before it on the way.
CREATE MACRO downstream(wanted_dataset, wanted_record_id) AS TABLE
WITH RECURSIVE way AS (
    SELECT d.id AS dataset, w.id AS record, TIMESTAMP '-infinity' AS from_at,
        CAST(NULL AS BIGINT) AS hop, CAST(NULL AS INTEGER) AS from_dataset,
        CAST(NULL AS BIGINT) AS from_record
    FROM core.key_of(wanted_record_id) w, core.dataset_name d
    WHERE d.text = wanted_dataset
    UNION
    (
        WITH here AS MATERIALIZED (SELECT unnest(list(way), recursive := true) FROM way),
        found AS MATERIALIZED (
            SELECT unnest(list(read), recursive := true)
            FROM (SELECT i.hop, w.* FROM core.hop_input i JOIN (FROM here WHERE record > 0) w USING (record)) read
        ),
        moved AS MATERIALIZED (
            SELECT unnest(
                list({
                    'hop': h.id, 'target': h.target, 'keeps_id': h.keeps_id, 'moved_at': h.moved_at,
                    'dataset': w.dataset, 'record': w.record
                }),
                recursive := true)
            FROM core.hop h
            JOIN found w ON h.id = w.hop AND h.source = w.dataset AND h.moved_at >= w.from_at
        )
        SELECT target, record, moved_at, hop, dataset, record FROM moved WHERE keeps_id
        UNION ALL
        SELECT w.target, o.record, w.moved_at, w.hop, w.dataset, w.record
        FROM core.hop_output o
        JOIN moved w USING (hop)
    )
),
step AS MATERIALIZED (
    SELECT DISTINCT dataset, record, hop, from_dataset, from_record FROM way WHERE hop IS NOT NULL
),
asked AS MATERIALIZED (
    SELECT unnest(list(DISTINCT id)) AS id
    FROM (
        SELECT record AS id FROM step UNION ALL SELECT hop FROM step UNION ALL SELECT from_record FROM step
    )
),
name AS MATERIALIZED (
    SELECT i.id, coalesce(CAST(i.uuid AS VARCHAR), i.text) AS text
    FROM core.identifier i JOIN (FROM asked WHERE id > 0) USING (id)
),
hop AS MATERIALIZED (
    SELECT h.id, h.job, h.operation, h.moved_at FROM core.hop h JOIN (FROM asked WHERE id > 0) USING (id)
)
SELECT d.text AS dataset, r.text AS record_id, hn.text AS hop_id, h.job,
    core.operation_label(h.operation) AS operation, h.moved_at,
    f.text AS from_dataset, fr.text AS from_record_id
FROM step w
JOIN hop h ON h.id = w.hop
JOIN name r ON r.id = w.record
JOIN name hn ON hn.id = w.hop
JOIN name fr ON fr.id = w.from_record
JOIN core.dataset_name d ON d.id = w.dataset
JOIN core.dataset_name f ON f.id = w.from_dataset
ORDER BY h.moved_at, hop_id, from_record_id, record_id;

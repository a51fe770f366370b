-- Views that are more than a table in texts.

CREATE VIEW hop_record AS
SELECT h.text AS hop_id, x.side, r.text AS record_id
FROM (
    SELECT hop, 'INPUT' AS side, record FROM core.hop_input
    UNION ALL
    SELECT hop, 'OUTPUT', record FROM core.hop_output
) x
JOIN core.identity h ON h.id = x.hop
JOIN core.identity r ON r.id = x.record;

CREATE VIEW event_origin AS
SELECT x.event, i.text AS event_id, o.source, o.partition, x.position, x.recorded_at
FROM (
    SELECT 'MessageSent' AS event, id, origin, position, recorded_at FROM core.message
    UNION ALL
    SELECT 'RecordsMoved', id, origin, position, recorded_at FROM core.hop
    UNION ALL
    SELECT 'ConsentChanged', id, origin, position, recorded_at FROM core.consent_change
    UNION ALL
    SELECT 'DatasetDeclared', id, origin, position, recorded_at FROM core.declaration
    UNION ALL
    SELECT 'PolicyPublished', id, origin, position, recorded_at FROM core.policy
) x
JOIN core.identity i ON i.id = x.id
JOIN core.origin o ON o.id = x.origin;

CREATE VIEW fact AS
SELECT m.text AS message_id, f.channel, f.confidential, f.exempt_region, f.ai_training_consent,
    f.third_party_consent, f.dataset, f.declared, f.kind, f.party, f.recipient, f.operation,
    f.identifiable, f.disclosed, f.arrived_at, h.text AS hop_id, r.text AS record_id, p.policy_id
FROM ({fact_text}) f
JOIN core.identity m ON m.id = f.message
JOIN core.identity r ON r.id = f.record
JOIN core.policy p ON p.id = f.policy
LEFT JOIN core.identity h ON h.id = f.hop;

-- A name without its prefix, in one case and one Unicode form.
CREATE MACRO core.folded(name) AS nfc_normalize(lower(
    coalesce(nullif(regexp_extract(name, '[^./:]*$'), ''), name)));

CREATE VIEW unmatched_input AS
WITH unmatched AS MATERIALIZED (
    SELECT u.hop, u.record, h.run, h.job, h.source, h.moved_at
    FROM core.unmatched_input u
    JOIN core.hop h ON h.id = u.hop
),
seen AS MATERIALIZED (
    SELECT a.dataset, a.record, min(a.arrived_at) AS seen_at
    FROM core.arrival a
    SEMI JOIN unmatched u ON u.source = a.dataset AND u.record = a.record
    GROUP BY ALL
),
unseen AS MATERIALIZED (
    SELECT DISTINCT u.source, u.record, core.folded(d.text) AS dataset_folded,
        core.folded(r.text) AS record_folded
    FROM unmatched u
    ANTI JOIN seen s ON s.dataset = u.source AND s.record = u.record
    JOIN core.dataset_name d ON d.id = u.source
    JOIN core.identity r ON r.id = u.record
),
-- Known records that are spelled like these.
alike AS MATERIALIZED (
    SELECT i.id, core.folded(i.text) AS record_folded
    FROM core.identity i
    WHERE core.folded(i.text) IN (SELECT record_folded FROM unseen)
),
spelled AS MATERIALIZED (
    SELECT DISTINCT u.source, u.record
    FROM unseen u
    JOIN alike k USING (record_folded)
    JOIN core.dataset_name d ON core.folded(d.text) = u.dataset_folded
    SEMI JOIN core.arrival a ON a.dataset = d.id AND a.record = k.id
)
SELECT h.text AS hop_id, r.text AS run_id, u.job, d.text AS source, i.text AS record_id,
    u.moved_at,
    CASE WHEN s.seen_at IS NOT NULL THEN 'SEEN_LATER'
        WHEN k.record IS NOT NULL THEN 'SPELLED_LIKE'
        ELSE 'NEVER_SEEN' END AS reason,
    s.seen_at
FROM unmatched u
JOIN core.identity h ON h.id = u.hop
JOIN core.identity r ON r.id = u.run
JOIN core.identity i ON i.id = u.record
JOIN core.dataset_name d ON d.id = u.source
LEFT JOIN seen s ON s.dataset = u.source AND s.record = u.record
LEFT JOIN spelled k ON k.source = u.source AND k.record = u.record;

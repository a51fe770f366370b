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
    UNION ALL
    SELECT 'RunReported', id, origin, position, recorded_at FROM core.run_report
) x
JOIN core.identity i ON i.id = x.id
JOIN core.origin o ON o.id = x.origin;

-- What is in force in a dataset: its declaration and the policy, by spans of time.
CREATE VIEW core.dataset_span AS
SELECT n.id AS dataset, n.text AS name, p.policy_id, p.paying_tiers,
    list_transform(p.exempt_regions, lambda region: core.region_code(region)) AS exempt_regions,
    s.disclosed_at, d.declaration IS NOT NULL AS declared, core.kind_label(c.kind) AS kind,
    core.party_label(c.party) AS party, c.recipient,
    greatest(s.from_at, coalesce(d.from_at, s.from_at)) AS from_at,
    least(s.until_at, coalesce(d.until_at, s.until_at)) AS until_at
FROM core.dataset_name n
CROSS JOIN core.policy_span s
JOIN core.policy p ON p.id = s.policy
LEFT JOIN core.declaration_span d
    ON d.dataset = n.id AND d.from_at < s.until_at AND s.from_at < d.until_at
LEFT JOIN core.declaration c ON c.id = d.declaration;

-- What each member said about each purpose. Of two changes at one instant the refusal is the greater.
CREATE VIEW core.consent_history AS
SELECT member,
    list({'at': effective_at, 'refused': NOT granted})
        FILTER (purpose = core.purpose_code('AI_TRAINING')) AS ai_training,
    list({'at': effective_at, 'refused': NOT granted})
        FILTER (purpose = core.purpose_code('THIRD_PARTY')) AS third_party
FROM core.consent_change
GROUP BY member;

-- The last change not after an instant; null if there is none.
CREATE MACRO core.last_change(changes, instant) AS
    list_max(list_filter(changes, lambda change: change.at <= instant));

-- Does every party consent? Of those who ever changed a consent, `parties` has tag and changes.
CREATE MACRO core.all_consent(parties, instant) AS
    coalesce(list_bool_and(list_transform(parties, lambda party:
        coalesce(NOT core.last_change(party.changes, instant).refused, party.tag))), true);

CREATE VIEW core.no_hop AS
SELECT 0 AS id, CAST(NULL AS VARCHAR) AS text;

-- Three things let a condition on a column reach the tables. Ids are joined, and not left-joined,
-- as the planner takes the result of a left join for large, and would not let it narrow the next
-- table. Parties are looked up by a subquery, which is asked for the messages that are left: a join
-- would first group the parties of all messages. And what is in force is joined in the same block
-- as the ids, for conditions on dataset, kind, party and recipient.
CREATE VIEW fact AS
WITH span AS MATERIALIZED (FROM core.dataset_span),
asked AS (
    SELECT m.text AS message_id, h.text AS hop_id, r.text AS record_id, a.operation, a.arrived_at,
        a.identifiable, e.channel, s.* EXCLUDE (dataset, from_at, until_at),
        (
            SELECT {
                'tiers': bit_or(CAST(1 << p.tier AS UTINYINT)),
                'regions': list(p.region),
                'ai_training_refused': bool_or(NOT p.ai_training_consent AND c.ai_training IS NULL),
                'ai_training': list({'tag': p.ai_training_consent, 'changes': c.ai_training})
                    FILTER (c.ai_training IS NOT NULL),
                'third_party_refused': bool_or(NOT p.third_party_consent AND c.third_party IS NULL),
                'third_party': list({'tag': p.third_party_consent, 'changes': c.third_party})
                    FILTER (c.third_party IS NOT NULL)
            }
            FROM core.message_party p
            LEFT JOIN core.consent_history c ON c.member = p.member
            WHERE p.message = a.message
        ) AS parties
    FROM core.arrival a
    JOIN core.message e ON e.id = a.message
    JOIN core.identity m ON m.id = a.message
    JOIN core.identity r ON r.id = a.record
    JOIN (FROM core.identity UNION ALL FROM core.no_hop) h ON h.id = a.hop
    LEFT JOIN span s
        ON s.dataset = a.dataset AND a.arrived_at >= s.from_at AND a.arrived_at < s.until_at
)
SELECT f.message_id, core.channel_label(f.channel) AS channel,
    f.channel = core.channel_code('INMAIL') AND (f.parties.tiers & f.paying_tiers) <> 0
        AS confidential,
    list_has_any(f.parties.regions, f.exempt_regions) AS exempt_region,
    NOT f.parties.ai_training_refused AND core.all_consent(f.parties.ai_training, f.arrived_at)
        AS ai_training_consent,
    NOT f.parties.third_party_refused AND core.all_consent(f.parties.third_party, f.arrived_at)
        AS third_party_consent,
    f.name AS dataset, f.declared, f.kind, f.party, f.recipient,
    core.operation_label(f.operation) AS operation, f.identifiable,
    coalesce(f.arrived_at >= f.disclosed_at, false) AS disclosed, f.arrived_at, f.hop_id,
    f.record_id, f.policy_id
FROM asked f;

CREATE VIEW party_consent AS
WITH asked AS (
    SELECT m.text AS message_id, h.text AS hop_id, d.text AS dataset, r.text AS record_id,
        a.arrived_at, p.role, n.text AS member_id, p.ai_training_consent, p.third_party_consent,
        core.last_change(c.ai_training, a.arrived_at) AS ai_training,
        core.last_change(c.third_party, a.arrived_at) AS third_party
    FROM core.arrival a
    JOIN core.message_party p ON p.message = a.message
    JOIN core.member n ON n.id = p.member
    JOIN core.dataset_name d ON d.id = a.dataset
    JOIN core.identity m ON m.id = a.message
    JOIN core.identity r ON r.id = a.record
    JOIN (FROM core.identity UNION ALL FROM core.no_hop) h ON h.id = a.hop
    LEFT JOIN core.consent_history c ON c.member = p.member
)
SELECT message_id, hop_id, dataset, record_id, arrived_at, core.role_label(role) AS role, member_id,
    coalesce(NOT ai_training.refused, ai_training_consent) AS ai_training_consent,
    ai_training.at AS ai_training_changed_at,
    coalesce(NOT third_party.refused, third_party_consent) AS third_party_consent,
    third_party.at AS third_party_changed_at
FROM asked;

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
-- Known records that are spelled like these. A UUID is spelled as it is folded.
alike AS MATERIALIZED (
    SELECT i.id, u.record_folded
    FROM core.identifier i
    JOIN (SELECT DISTINCT record_folded FROM unseen) u ON i.uuid = TRY_CAST(u.record_folded AS UUID)
    WHERE CAST(i.uuid AS VARCHAR) = u.record_folded
    UNION ALL
    SELECT i.id, core.folded(i.text) AS record_folded
    FROM core.identifier i
    WHERE i.uuid IS NULL AND core.folded(i.text) IN (SELECT record_folded FROM unseen)
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

-- What auditors see: the record in words.

CREATE VIEW message AS
SELECT i.id AS message_id, core.channel_label(m.channel) AS channel, d.text AS dataset, m.sent_at
FROM core.message m
JOIN core.identity i USING (n)
JOIN core.dataset_name d ON d.n = m.ds;

CREATE VIEW message_party AS
SELECT i.id AS message_id, core.role_label(p.role) AS role, m.text AS member_id,
    core.tier_label(p.tier) AS tier, core.region_label(p.region) AS region, p.ai_training_consent, p.third_party_consent
FROM core.message_party p
JOIN core.identity i USING (n)
JOIN core.member m ON m.n = p.member;

CREATE VIEW hop AS
SELECT i.id AS hop_id, r.id AS run_id, h.job, core.operation_label(h.operation) AS operation,
    s.text AS source, t.text AS target, h.method AS declass_method, h.k AS declass_k, h.moved_at
FROM core.hop h
JOIN core.identity i USING (n)
JOIN core.identity r ON r.n = h.run
JOIN core.dataset_name s ON s.n = h.source
JOIN core.dataset_name t ON t.n = h.target;

CREATE VIEW hop_record AS
SELECT h.id AS hop_id, x.side, r.id AS record_id
FROM (
    SELECT h, 'INPUT' AS side, rec FROM core.hop_input
    UNION ALL
    SELECT h, 'OUTPUT', rec FROM core.hop_output
) x
JOIN core.identity h ON h.n = x.h
JOIN core.identity r ON r.n = x.rec;

CREATE VIEW dataset AS
SELECT n.text AS dataset, core.kind_label(d.kind) AS kind, core.party_label(d.party) AS party,
    d.recipient, d.declared_at
FROM core.declaration d
JOIN core.dataset_name n ON n.n = d.ds;

CREATE VIEW consent_change AS
SELECT i.id AS change_id, m.text AS member_id, core.purpose_label(c.purpose) AS purpose, c.granted,
    core.basis_label(c.basis) AS basis, c.effective_at
FROM core.consent_change c
JOIN core.identity i USING (n)
JOIN core.member m ON m.n = c.member;

CREATE VIEW policy AS
SELECT policy_id, effective_at, disclosed_at, document FROM core.policy WHERE n <> 0;

CREATE VIEW arrival AS
SELECT m.id AS message_id, h.id AS hop_id, d.text AS dataset, r.id AS record_id,
    core.operation_label(a.operation) AS operation, a.arrived_at, a.identifiable
FROM core.arrival a
JOIN core.identity m ON m.n = a.m
JOIN core.identity r ON r.n = a.rec
JOIN core.dataset_name d ON d.n = a.ds
LEFT JOIN core.identity h ON h.n = a.h;

CREATE VIEW fact AS
SELECT m.id AS message_id, f.channel, f.confidential, f.exempt_region, f.ai_training_consent,
    f.third_party_consent, f.dataset, f.declared, f.kind, f.party, f.recipient, f.operation,
    f.identifiable, f.disclosed, f.arrived_at, h.id AS hop_id, r.id AS record_id, p.policy_id
FROM ({fact_text}) f
JOIN core.identity m ON m.n = f.m
JOIN core.identity r ON r.n = f.rec
JOIN core.policy p ON p.n = f.policy
LEFT JOIN core.identity h ON h.n = f.h;

CREATE VIEW flag AS
SELECT f.rule, CAST(f.severity AS VARCHAR) AS severity, f.message_id, d.text AS dataset,
    p.policy_id, f.first_at, f.last_at, f.arrivals, nullif(f.first_hop, '') AS first_hop
FROM core.flag f
JOIN core.dataset_name d ON d.n = f.ds
JOIN core.policy p ON p.n = f.policy;

CREATE VIEW flag_history AS
SELECT f.seq, CAST(f.status AS VARCHAR) AS status, f.rule,
    CAST(f.severity AS VARCHAR) AS severity, f.message_id, d.text AS dataset, p.policy_id,
    f.first_at, f.last_at, f.arrivals, nullif(f.first_hop, '') AS first_hop, f.recorded_at
FROM core.flag_history f
JOIN core.dataset_name d ON d.n = f.ds
JOIN core.policy p ON p.n = f.policy;

CREATE VIEW conflict AS
SELECT c.event, i.id AS event_id, c.sha256, c.content, c.counts
FROM core.conflict c
JOIN core.identity i USING (n);

CREATE VIEW dead_letter AS
SELECT source, partition, position, reason, sha256, recorded_at FROM core.dead_letter;

CREATE VIEW ingest_position AS
SELECT topic, partition, next_offset FROM core.ingest_position;

CREATE VIEW ingest_topic AS
SELECT topic, cluster_id, topic_id FROM core.ingest_topic;

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

CREATE VIEW fact AS
SELECT m.text AS message_id, f.channel, f.confidential, f.exempt_region, f.ai_training_consent,
    f.third_party_consent, f.dataset, f.declared, f.kind, f.party, f.recipient, f.operation,
    f.identifiable, f.disclosed, f.arrived_at, h.text AS hop_id, r.text AS record_id, p.policy_id
FROM ({fact_text}) f
JOIN core.identity m ON m.id = f.message
JOIN core.identity r ON r.id = f.record
JOIN core.policy p ON p.id = f.policy
LEFT JOIN core.identity h ON h.id = f.hop;

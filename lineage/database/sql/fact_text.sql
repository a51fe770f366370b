-- Facts in texts: the columns that rules name, and the keys.
SELECT f.message, f.hop, f.dataset AS dataset_key, f.record, f.policy, f.declaration,
    core.channel_label(f.channel) AS channel, f.confidential, f.exempt_region,
    f.ai_training_consent, f.third_party_consent, n.text AS dataset,
    d.id IS NOT NULL AS declared, core.kind_label(d.kind) AS kind,
    core.party_label(d.party) AS party, d.recipient, core.operation_label(f.operation) AS operation,
    f.identifiable, f.disclosed, {more}
FROM {facts} f
JOIN core.dataset_name n ON n.id = f.dataset
LEFT JOIN core.declaration d ON d.id = f.declaration

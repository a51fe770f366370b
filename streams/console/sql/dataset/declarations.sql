-- The declarations of the dataset with the key $dataset, the latest first.
SELECT declared_at, declaration_id, core.kind_label(kind) AS kind, core.party_label(party) AS party,
    recipient
FROM core.declaration
WHERE dataset = $dataset
ORDER BY declared_at DESC, declaration_id DESC

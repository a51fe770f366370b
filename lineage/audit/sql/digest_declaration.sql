-- A line for each declaration of a dataset.
SELECT to_json([
    e.declaration_id, d.text, core.kind_label(e.kind), core.party_label(e.party), e.recipient,
    CAST(epoch_us(e.declared_at) AS VARCHAR)]) AS line
FROM core.declaration e
JOIN core.dataset_name d ON d.n = e.ds

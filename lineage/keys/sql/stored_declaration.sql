-- The declarations numbered in `given`, in the columns of a batch.
SELECT e.n AS row, e.declaration_id, d.text AS dataset, core.kind_label(e.kind) AS kind,
    core.party_label(e.party) AS party, e.recipient, e.declared_at
FROM given c
JOIN core.declaration e USING (n)
JOIN core.dataset_name d ON d.n = e.ds

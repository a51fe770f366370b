-- Every dataset that an event names, as it is declared last.
WITH last AS (
    SELECT dataset, arg_max(id, (declared_at, declaration_id)) AS id
    FROM core.declaration
    GROUP BY dataset
)
SELECT n.text AS name, core.kind_label(d.kind) AS kind, core.party_label(d.party) AS party,
    d.recipient
FROM core.dataset_name n
LEFT JOIN last l ON l.dataset = n.id
LEFT JOIN core.declaration d ON d.id = l.id
ORDER BY n.text

-- Every id as text.
CREATE VIEW core.identity AS
SELECT n, coalesce(CAST(uuid AS VARCHAR), text) AS id FROM core.identifier
;
-- Which record flowed into which, by which hop.
CREATE VIEW core.edge AS
SELECT i.h, i.source, i.rec, i.target, i.rec AS to_rec, i.moved_at
FROM core.hop_input i
WHERE i.keeps_id
UNION ALL
SELECT i.h, i.source, i.rec, i.target, o.rec, i.moved_at
FROM core.hop_input i
JOIN core.hop_output o USING (h)
WHERE NOT i.keeps_id

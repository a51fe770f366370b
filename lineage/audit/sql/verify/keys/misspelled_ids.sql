-- Which ids are not kept as they should be: canonical UUIDs in 16 bytes, all others as texts?
SELECT id
FROM core.identifier
WHERE (uuid IS NULL) = (text IS NULL)
    OR regexp_full_match(text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
LIMIT 10

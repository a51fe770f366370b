-- What is wrong with the versions of an event that conflict?
SELECT event, id, CASE
    WHEN count(*) < 2 THEN 'it has one version alone'
    WHEN count(DISTINCT sha256) <> count(*) THEN 'it has a version twice'
    WHEN bool_or(sha256(content) <> sha256) THEN 'a content has another SHA-256'
    WHEN event NOT IN ('MessageSent', 'RecordsMoved', 'ConsentChanged', 'DatasetDeclared',
        'PolicyPublished', 'RunReported') THEN 'there is no such event'
    ELSE 'another version counts than the one with the smallest SHA-256' END AS why
FROM core.conflict
GROUP BY event, id
HAVING count(*) < 2 OR count(DISTINCT sha256) <> count(*)
    OR bool_or(sha256(content) IS DISTINCT FROM sha256)
    OR count(*) FILTER (counts) <> 1
    OR min(sha256) IS DISTINCT FROM min(sha256) FILTER (counts)
    OR bool_or(event NOT IN ('MessageSent', 'RecordsMoved', 'ConsentChanged', 'DatasetDeclared',
        'PolicyPublished', 'RunReported'))
LIMIT 10

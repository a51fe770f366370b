-- Which hops have an input twice? Of the hops whose ids are from $first to $last.
SELECT hop
FROM core.hop_input
WHERE hop BETWEEN $first AND $last
GROUP BY hop
HAVING count(DISTINCT record) <> count(*)

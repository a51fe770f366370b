-- Which hops would declassify by the methods in `accepted_method`, and do not, or the other way
-- round? $since, $until: microseconds, the latter excluded.
SELECT h.id
FROM core.hop h
LEFT JOIN accepted_method m ON m.method = h.method AND h.k >= m.min_k
WHERE h.method IS NOT NULL
    AND h.moved_at >= make_timestamp($since) AND h.moved_at < make_timestamp($until)
    AND h.declassifies <> (m.method IS NOT NULL)
ORDER BY h.id

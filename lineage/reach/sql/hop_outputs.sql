-- What do some hops write? In the order of the hops.
SELECT hop, record
FROM {rows}
ORDER BY hop

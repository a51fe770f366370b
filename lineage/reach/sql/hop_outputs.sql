-- The records that some hops write, in the order of the hops.
SELECT hop, record
FROM {rows}
ORDER BY hop

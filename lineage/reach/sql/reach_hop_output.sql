-- What do some hops write? In the order of the hops.
SELECT h, rec
FROM {rows}
ORDER BY h

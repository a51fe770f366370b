-- Which messages did some hops carry?
SELECT DISTINCT a.message FROM core.arrival a JOIN stale_hop USING (hop)

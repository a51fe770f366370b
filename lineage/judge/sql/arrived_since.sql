-- Which messages arrived anywhere since an instant? $since: in microseconds.
SELECT DISTINCT m FROM core.arrival WHERE arrived_at >= make_timestamp($since)

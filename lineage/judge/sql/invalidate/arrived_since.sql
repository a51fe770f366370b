-- Which messages arrived anywhere since an instant? $since: in microseconds.
SELECT DISTINCT message FROM core.arrival WHERE arrived_at >= make_timestamp($since)

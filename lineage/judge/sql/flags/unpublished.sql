-- The rows of flag_history that are not known to have been published.
SELECT h.* FROM flag_history h WHERE h.seq > (SELECT published FROM core.outbox) ORDER BY h.seq

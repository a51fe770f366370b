-- The smallest key of a hop that is not before $since (microseconds): inputs of smaller ones are skipped.
SELECT coalesce(min(id), 0) FROM core.hop WHERE moved_at >= make_timestamp($since)

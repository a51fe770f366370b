-- Some messages, chosen by $seed.
SELECT id FROM core.message ORDER BY hash(id, $seed), id LIMIT $messages

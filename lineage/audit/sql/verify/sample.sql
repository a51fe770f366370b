-- Some messages, chosen by $seed.
SELECT id FROM core.message ORDER BY hash(xor(hash(id), CAST($seed AS UBIGINT))), id LIMIT $messages

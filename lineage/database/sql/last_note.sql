-- The note of a digest that was made last.
SELECT digest, noted_at, events, tables, holds FROM core.digest_note ORDER BY number DESC LIMIT 1

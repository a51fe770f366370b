-- The changes of flags that are not known to have been published. In braces: all changes, as texts;
-- and columns that are looked up later.
SELECT *, {moved}
FROM (
    {changes}
    WHERE t.seq > (SELECT published FROM core.outbox)
)
ORDER BY seq

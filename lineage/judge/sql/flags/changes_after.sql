-- The changes of flags after one, in their order. In braces: all changes, as texts; columns that are
-- looked up later; the seq of that one; a condition on the last, or nothing.
SELECT *, {moved}
FROM (
    {changes}
    WHERE t.seq > {seq} {until}
)
ORDER BY seq

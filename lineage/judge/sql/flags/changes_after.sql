-- The changes of flags after one, in their order. In braces: all changes, as texts; columns that are
-- looked up later; the seq of that one; how many at the most, as LIMIT or nothing.
SELECT *, {moved}
FROM (
    {changes}
    WHERE t.seq > {seq}
)
ORDER BY seq
{limit}

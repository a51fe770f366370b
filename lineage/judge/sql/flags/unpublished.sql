-- The changes of flags that are not known to have been published. In braces: all changes, as texts.
{changes}
WHERE t.seq > (SELECT published FROM core.outbox)
ORDER BY t.seq

-- What do the hops `given` write? In the order of the hops. The relation in braces has (at least)
-- their outputs.
SELECT o.h, o.rec
FROM {near} o
SEMI JOIN given USING (h)
ORDER BY o.h

-- What the hops `given` read. The relation in braces has (at least) their inputs.
SELECT h, rec AS source_rec
FROM {near}
SEMI JOIN given USING (h)

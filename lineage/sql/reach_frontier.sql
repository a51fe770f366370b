-- Which of the candidates tell something new: an arrival, or that it is identifiable?
INSERT INTO frontier
SELECT c.*, coalesce(k.known, 'NEW')
FROM candidate c
LEFT JOIN {known} k ON k.m = c.m AND k.h = c.h AND k.rec = c.rec
WHERE k.m IS NULL OR (c.identifiable AND NOT k.identifiable)

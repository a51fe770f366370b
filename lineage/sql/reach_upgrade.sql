-- What arrived in this batch already, and is now known to be identifiable.
UPDATE arrived SET identifiable = true
FROM frontier f
WHERE f.known = 'BATCH' AND arrived.m = f.m AND arrived.h = f.h AND arrived.rec = f.rec

-- Record that arrivals of earlier batches are identifiable after all.
UPDATE core.arrival SET identifiable = true
FROM given n
WHERE core.arrival.m = n.m AND core.arrival.h = n.h AND core.arrival.rec = n.rec
    AND core.arrival.arrived_at = n.arrived_at

-- Record that arrivals of earlier batches are identifiable after all.
UPDATE core.arrival SET identifiable = true
FROM upgraded_arrival u
WHERE core.arrival.message = u.message AND core.arrival.hop = u.hop
    AND core.arrival.record = u.record AND core.arrival.arrived_at = u.arrived_at

-- Which of the arrivals asked about are stored, and how?
SELECT w.place, a.identifiable
FROM asked_arrival w
JOIN core.arrival a ON a.message = w.message AND a.hop = w.hop AND a.record = w.record
    AND a.arrived_at = w.arrived_at

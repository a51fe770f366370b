-- Which of the arrivals `given` are stored, and how?
SELECT w.place, a.identifiable
FROM given w
JOIN core.arrival a ON a.m = w.m AND a.h = w.h AND a.rec = w.rec AND a.arrived_at = w.arrived_at

-- Record the batch's new arrivals.
INSERT INTO core.arrival SELECT m, h, ds, rec, operation, arrived_at, identifiable FROM given

"""Reports what a worker does, is behind by, and ends with."""

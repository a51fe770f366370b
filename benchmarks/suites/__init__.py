"""The parts: each has `measure(surroundings, sizes)`, which gives its figures."""

"""The parts: each has `measure(environment, sizes)`, which gives its figures."""

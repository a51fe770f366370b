"""Holds the parts: each has `measure(environment, sizes)`, which returns its figures."""

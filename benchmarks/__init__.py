"""Measures: `make bench`, or `python -m benchmarks [PART ...]`. No part of the test suite."""

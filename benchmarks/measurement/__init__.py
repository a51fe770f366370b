"""Measures processes and points: time, memory, quantiles, and the machine that they ran on."""

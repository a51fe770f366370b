"""Metrics: what a worker does, as Prometheus reads it, and whether it is well and ready."""

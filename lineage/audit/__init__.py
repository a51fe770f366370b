"""Queries on the recorded lineage: SELECTs and their check, routes, the digest."""

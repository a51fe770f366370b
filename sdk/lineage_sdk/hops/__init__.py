"""Hops: which records a job moved, in blocks, decorated functions and streams."""

"""The work before the store: reading a log ahead (prefetch), and encoding its batches."""

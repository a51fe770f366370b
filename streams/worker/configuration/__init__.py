"""Configures a worker: its settings, Faust, and Python's garbage collector."""

"""Writes and reads the dead-letter topic."""

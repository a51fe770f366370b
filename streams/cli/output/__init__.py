"""Writes to the terminal and to pipes."""

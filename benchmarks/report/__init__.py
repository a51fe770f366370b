"""Writes results: tables on a terminal and in the documentation, and charts."""

"""Holds a page and its rows, and writes both."""

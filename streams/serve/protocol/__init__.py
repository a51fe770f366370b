"""Reads requests and writes answers."""

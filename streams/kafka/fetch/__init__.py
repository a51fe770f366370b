"""Fetches records, by the batch."""

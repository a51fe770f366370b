"""Verifies a database: that it is whole, and that what is derived follows from the events."""

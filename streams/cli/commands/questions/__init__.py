"""Holds the commands that ask a database."""

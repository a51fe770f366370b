"""Holds the commands that look after a database and its surroundings."""

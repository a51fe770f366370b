"""Holds the commands that run until they are ended."""

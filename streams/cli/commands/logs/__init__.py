"""Holds the commands that read, write and move event logs."""

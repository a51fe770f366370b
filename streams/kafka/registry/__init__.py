"""Asks a schema registry, and checks what it answers."""

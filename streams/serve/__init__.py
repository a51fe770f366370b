"""Serves a lineage database over HTTP: questions, from the process that writes it or reads it."""

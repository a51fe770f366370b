"""Asks a store that another process serves over HTTP: the same questions, the same answers."""

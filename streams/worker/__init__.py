"""Runs the live worker: Faust agents around one group committer."""

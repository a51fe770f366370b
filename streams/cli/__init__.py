"""Holds the command `lineage`. Imports are made when a command runs: `--help` stays quick."""

from streams.cli.app import cli, main

__all__ = ["cli", "main"]

"""The command `lineage`. What a command needs is imported when it runs: `--help` stays quick."""

from streams.cli.app import cli, main

__all__ = ["cli", "main"]

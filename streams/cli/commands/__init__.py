"""Holds the commands, one file each; `streams.cli.app` puts them together."""

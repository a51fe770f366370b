"""Checks that a SELECT may be asked: DuckDB's syntax tree, by a list of what is allowed."""

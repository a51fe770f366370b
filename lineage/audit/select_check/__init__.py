"""Checks that a SELECT is allowed: DuckDB's syntax tree, against an allowlist."""

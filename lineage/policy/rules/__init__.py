"""Parses rules: SQL expressions over facts, checked on DuckDB's own syntax tree."""

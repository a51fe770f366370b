"""Is a SELECT one that may be asked: a check of DuckDB's syntax tree by a list of what is allowed."""

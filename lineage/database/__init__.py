"""The DuckDB file: opening it, its tables and views, and statements on what is in memory."""

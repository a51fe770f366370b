"""The DuckDB file: its connection, its tables and views, and statements on in-memory frames."""

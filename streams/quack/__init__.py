"""Answers the clients of DuckDB by the protocol of its extension quack."""

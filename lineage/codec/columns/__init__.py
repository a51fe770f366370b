"""Columns of many events at once: the contract's checks and conversions, by polars."""

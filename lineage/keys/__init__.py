"""Surrogate keys: ids become integers, by which repeated events are found (deduplicate)."""

"""Ids become integers (surrogate keys), and events that come again are told by them."""

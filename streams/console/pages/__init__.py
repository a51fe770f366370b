"""Answers what each page shows: one module a page."""

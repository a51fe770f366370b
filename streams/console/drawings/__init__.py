"""Lays out the drawings of the pages; templates write them as SVG."""

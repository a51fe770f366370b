"""Questions to what was recorded."""

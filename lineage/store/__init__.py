"""The store: what users hold; one batch in one transaction, and questions."""

"""The store, the object that users hold: one batch in one transaction, and queries."""

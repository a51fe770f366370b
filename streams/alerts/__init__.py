"""Alerts: tells Alertmanager and webhooks which flags are raised, changed and cleared."""

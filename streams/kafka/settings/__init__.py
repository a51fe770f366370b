"""Knows the settings of the connection to Kafka, and where each comes from."""

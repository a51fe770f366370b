"""Speaks Kafka: topics, clients, records in and out."""

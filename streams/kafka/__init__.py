"""Kafka itself: topics, clients, records in and out."""

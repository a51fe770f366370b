"""Connects lineage to Kafka: topics, publishing, Faust workers, a local broker, commands."""

"""The Kafka side: topics, publishing, the Faust workers, and a local broker."""

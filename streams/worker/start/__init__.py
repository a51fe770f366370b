"""Makes sure of broker, topics, group and store before a worker reads, and finds where from."""

"""Ways out of the process: to Kafka, a folder of logs, or HTTP."""

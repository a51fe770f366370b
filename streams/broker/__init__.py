"""Runs a local single-node Apache Kafka: plain Java and Kafka's Maven jars, no container."""

from streams.broker.java import KAFKA_VERSION, cache_folder, find_java, find_maven, kafka_jars
from streams.broker.local import LocalBroker
from streams.broker.run import run_broker

__all__ = [
    "KAFKA_VERSION",
    "LocalBroker",
    "cache_folder",
    "find_java",
    "find_maven",
    "kafka_jars",
    "run_broker",
]

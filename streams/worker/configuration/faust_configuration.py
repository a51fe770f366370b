"""Configures Faust for a worker that acknowledges what is committed, and keeps no tables."""

from __future__ import annotations

from typing import Any

from streams.kafka.fetch.transport import faust_credentials
from streams.kafka.topics.topics import MESSAGE_BYTES_MAX
from streams.worker.configuration.settings import Settings

__all__ = ["faust_configuration"]


def faust_configuration(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the Faust app, which stand for settings and limits of ours."""
    limits, kafka = settings.limits, settings.connection
    return {
        "broker": [f"batched://{address}" for address in kafka.addresses],
        "broker_credentials": faust_credentials(kafka),
        "Worker": "streams.worker.run:BoundedWorker",
        "autodiscover": False,
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        # Without tables there is nothing to stand by for, and Kafka's round robin will do.
        "table_standby_replicas": 0,
        "key_serializer": "raw",
        "value_serializer": "raw",
        # A stream's buffer counts fetched lists, not events.
        "stream_buffer_maxsize": 2,
        "stream_recovery_delay": 0.0,
        "stream_processing_timeout": limits.silent_seconds_max,
        "broker_commit_livelock_soft_timeout": limits.silent_seconds_max,
        "broker_session_timeout": limits.session_seconds_max,
        "broker_heartbeat_interval": limits.heartbeat_seconds,
        "broker_request_timeout": limits.request_seconds_max,
        "broker_commit_interval": limits.commit_interval_seconds,
        "broker_max_poll_interval": limits.transaction_seconds_max,
        "consumer_max_fetch_size": limits.fetch_bytes_max,
        # Where to start is said by start_offsets. An offset that is gone must never be passed
        # over without a word.
        "consumer_auto_offset_reset": "none",
        "producer_request_timeout": limits.request_seconds_max,
        "producer_max_request_size": MESSAGE_BYTES_MAX,
        "producer_linger": 0.0,
        "producer_max_batch_size": limits.produced_batch_bytes_max,
        "consumer_metadata_max_age_ms": limits.metadata_seconds_max * 1000,
        # Records that were read and are not recorded when the worker stops, or partitions are taken
        # away, are read again. Faust would wait for them to be acknowledged.
        "stream_wait_empty": False,
    }

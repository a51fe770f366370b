"""Connects to Kafka, and explains why where it cannot."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaConfigurationError, KafkaError

from streams.errors import AccessError, BrokerUnavailableError, KafkaSettingError
from streams.kafka.access import refusal
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits

__all__ = ["admin_client", "connecting", "new_admin_client"]

# Errors that the client reports here are raised as ours, in words for people; and at its lower
# levels it writes passwords.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@contextmanager
def admin_client(
    broker: KafkaConnection | str, limits: KafkaLimits = KAFKA_LIMITS
) -> Iterator[KafkaAdminClient]:
    """Yield a client for topics and offsets; a broker's HOST:PORT is one that lets everybody in.

    Raises BrokerUnavailableError within `connect_seconds_max` where no broker answers, AccessError
    where one does not let this client in, KafkaSettingError.
    """
    admin = new_admin_client(broker, limits)
    try:
        yield admin
    finally:
        admin.close()


def new_admin_client(
    broker: KafkaConnection | str,
    limits: KafkaLimits = KAFKA_LIMITS,
    answer_seconds_max: float | None = None,
) -> KafkaAdminClient:
    """Connect a client for topics and offsets; close it. Raises what `admin_client` raises.

    answer_seconds_max: how long a request may take (None: as long as Kafka's clients let it).
    """
    connection = KafkaConnection.of(broker)
    started = time.monotonic()
    refused = refusal(connection, limits)
    if refused is not None and refused.certain:
        raise AccessError(connection.bootstrap, refused.why)
    left = limits.connect_seconds_max - (time.monotonic() - started)
    arguments = connection.arguments(
        KafkaAdminClient, client_id="lineage", bootstrap_timeout_ms=int(max(left, 1.0) * 1000)
    )
    if answer_seconds_max is not None:
        arguments["request_timeout_ms"] = int(answer_seconds_max * 1000)
    try:
        with connecting(connection):
            return KafkaAdminClient(**arguments)
    except BrokerUnavailableError as error:
        if refused is not None:
            raise AccessError(connection.bootstrap, refused.why) from error
        raise


@contextmanager
def connecting(connection: KafkaConnection) -> Iterator[None]:
    """Explain the errors of a client of kafka-python that is made."""
    try:
        yield
    except (KafkaConfigurationError, ValueError, AssertionError) as error:
        raise KafkaSettingError(f"the settings for Kafka do not go together: {error}") from error
    except KafkaError as error:
        raise BrokerUnavailableError(connection.bootstrap) from error
    except OSError as error:
        raise BrokerUnavailableError(connection.bootstrap, str(error)) from error

"""Connects to Kafka, and explains why where it cannot."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailableError
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits

__all__ = ["admin_client", "check_bootstrap", "new_admin_client"]

# Errors that the client reports here are raised as ours, in words for people.
logging.getLogger("kafka").setLevel(logging.CRITICAL)
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:,/\[\]]+):(?P<port>[0-9]{1,5})")


def check_bootstrap(bootstrap: str) -> list[str]:
    """Return the HOST:PORT entries of a comma-separated list.

    Raises BrokerUnavailableError where one is not HOST:PORT.
    """
    addresses = [part.strip() for part in bootstrap.split(",")]
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise BrokerUnavailableError(bootstrap[:200] or "''", "that is not HOST:PORT")
    return addresses


@contextmanager
def admin_client(bootstrap: str, limits: KafkaLimits = KAFKA_LIMITS) -> Iterator[KafkaAdminClient]:
    """Yield a client for topics and offsets.

    Raises BrokerUnavailableError within `connect_seconds_max` where no broker answers.
    """
    admin = new_admin_client(bootstrap, limits)
    try:
        yield admin
    finally:
        admin.close()


def new_admin_client(
    bootstrap: str,
    limits: KafkaLimits = KAFKA_LIMITS,
    answer_seconds_max: float | None = None,
) -> KafkaAdminClient:
    """Connect a client for topics and offsets; close it.

    answer_seconds_max: how long a request may take (None: as long as Kafka's clients let it).
    Raises BrokerUnavailableError within `connect_seconds_max` where no broker answers.
    """
    seconds = answer_seconds_max
    bounded = {} if seconds is None else {"request_timeout_ms": int(seconds * 1000)}
    try:
        return KafkaAdminClient(
            bootstrap_servers=check_bootstrap(bootstrap),
            bootstrap_timeout_ms=int(limits.connect_seconds_max * 1000),
            client_id="lineage",
            **bounded,
        )
    except (KafkaError, OSError) as error:
        raise BrokerUnavailableError(bootstrap, _why(error)) from error


def _why(error: Exception) -> str:
    return "nothing answers" if isinstance(error, KafkaError) else str(error)

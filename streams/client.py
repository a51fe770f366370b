"""Connections to Kafka whose failures are ours to explain."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.errors import BrokerUnavailableError

__all__ = ["CONNECT_SECONDS_MAX", "admin_client", "check_bootstrap"]

# How long a broker may take to answer before it counts as not there.
CONNECT_SECONDS_MAX = 8.0
# What the client reports as an error here is raised as one of ours, in words for people.
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
def admin_client(bootstrap: str) -> Iterator[KafkaAdminClient]:
    """Give a client for topics and offsets.

    Raises BrokerUnavailableError within CONNECT_SECONDS_MAX where no broker answers.
    """
    addresses = check_bootstrap(bootstrap)
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=addresses,
            bootstrap_timeout_ms=int(CONNECT_SECONDS_MAX * 1000),
            client_id="lineage",
        )
    except (KafkaError, OSError) as error:
        raise BrokerUnavailableError(bootstrap, _why(error)) from error
    try:
        yield admin
    finally:
        admin.close()


def _why(error: Exception) -> str:
    return "nothing answers" if isinstance(error, KafkaError) else str(error)

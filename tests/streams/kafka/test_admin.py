"""Addresses that are wrong, and brokers that are away."""

from __future__ import annotations

import socket
import time

import pytest

from streams.errors import BrokerUnavailableError
from streams.kafka.admin import admin_client
from streams.kafka.connection import check_bootstrap


@pytest.mark.parametrize("address", ["127.0.0.1:9092", "a.example:1, b.example:65535", "[::1]:9"])
def test_addresses(address: str) -> None:
    assert check_bootstrap(address) == [one.strip() for one in address.split(",")]


@pytest.mark.parametrize("address", ["", "kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", ","])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(BrokerUnavailableError, match="HOST:PORT"):
        check_bootstrap(address)


@pytest.mark.slow
def test_no_broker_is_said_within_ten_seconds() -> None:
    with socket.socket() as silent:  # bound, but nobody listens
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(BrokerUnavailableError, match=address), admin_client(address):
            pass
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_something_else_than_a_broker_is_said_within_ten_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(BrokerUnavailableError, match=address), admin_client(address):
            pass
    assert time.monotonic() - started < 10

"""What all tests share."""

import signal

import pytest
from hypothesis import settings

from tests.properties import tried

# A shell has what it starts in the background ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)

# For the properties that say nothing of their own.
settings.register_profile("usual", tried(100))
settings.load_profile("usual")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests on a real Kafka in one process: they share its topics."""
    for item in items:
        if item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.xdist_group("kafka"))

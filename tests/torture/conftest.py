"""Says where no broker can be started, as the tests of streams do."""

from tests.streams.conftest import local_broker_possible

__all__ = ["local_broker_possible"]

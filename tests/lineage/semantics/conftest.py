"""Examples of the semantics are put to the reference and to the tracker, in several orders."""

from collections.abc import Callable
from zlib import crc32

import pytest

from tests.lineage.semantics.observed import tracked
from tests.lineage.semantics.reference import Expected, reference
from tests.lineage.semantics.reference_log import Event

Judge = Callable[..., Expected]
WAYS: dict[str, Callable[[list[Event]], Expected]] = {
    "reference": reference,
    "in one batch": tracked,
    "one by one": lambda events: tracked(*([event] for event in events)),
    "last half first": lambda events: tracked(
        events[len(events) // 2 :], events[: len(events) // 2]
    ),
}
TRACKED = ("in one batch", "last half first", "one by one")


@pytest.fixture(params=WAYS)
def judge(request: pytest.FixtureRequest) -> Judge:
    """`judge(event, ...)` gives what the tables hold after those events."""
    way = WAYS[request.param]
    return lambda *events: way(list(events))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the inner loop one of the tracker's ways for each example.

    The reference is held to the tracker there by the property tests.
    """
    for item in items:
        parameters = getattr(item, "callspec", None)
        way = parameters.params.get("judge") if parameters else None
        if way and way != _way_of(item.name.replace(way, "")):
            item.add_marker(pytest.mark.slow)


def _way_of(example: str) -> str:
    """The same way each time; one by one, which takes several times as long, for few."""
    number = crc32(example.encode())
    return "one by one" if number % 8 == 0 else TRACKED[number % 2]

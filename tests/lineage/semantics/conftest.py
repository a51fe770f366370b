"""Examples of the semantics are put to the reference and to the tracker, in several orders."""

from collections.abc import Callable

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


@pytest.fixture(params=WAYS)
def judge(request: pytest.FixtureRequest) -> Judge:
    """`judge(event, ...)` gives what the tables hold after those events."""
    way = WAYS[request.param]
    return lambda *events: way(list(events))

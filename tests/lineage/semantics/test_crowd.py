"""Many worlds in one database, so that batches are large: the same meaning at another size.

Worlds share nothing but policies, so what the reference says of a crowd is the union of what it
says of each world with all the policies.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import lineage
from tests.lineage.events.logs import happened_at, logs
from tests.lineage.semantics.observed import observed
from tests.lineage.semantics.reference import Expected, reference
from tests.lineage.semantics.reference_log import Event
from tests.properties import EXAMPLES
from tests.samples import sampled

WORLDS = 5 * EXAMPLES
NAMED = {
    *("message_id", "member_id", "hop_id", "change_id", "declaration_id", "report_id"),
    *("dataset", "source", "target"),
}


def elsewhere(value: str, world: int) -> str:
    """The id as it is called in that world; a UUID stays one, in its own spelling."""
    return value.replace("0192", f"{world:04}") if "0192" in value else f"{world} {value}"[:256]


def transposed(event: Event, world: int) -> Event:
    moved: dict[str, Any] = {}
    for name, value in event.items():
        if name in NAMED:
            moved[name] = elsewhere(value, world)
        elif name in ("inputs", "outputs"):
            moved[name] = [elsewhere(one, world) for one in value]
        elif name == "parties":
            moved[name] = [
                {**one, "member_id": elsewhere(one["member_id"], world)} for one in value
            ]
        else:
            moved[name] = value
    return moved


def drawn_worlds(number: int) -> list[list[Event]]:
    """`number` logs, drawn from a seed of their own."""
    drawn: list[list[Event]] = []

    @seed(number)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(logs(full=True))
    def draw(events: list[Event]) -> None:
        drawn.append(events)

    draw()
    return drawn


@pytest.fixture(scope="module")
def crowd() -> tuple[list[Event], Expected]:
    """The events of all worlds, and what the tables must hold after them."""
    worlds = drawn_worlds(WORLDS)
    policies = [
        event for events in worlds[:4] for event in events if event["event"] == "PolicyPublished"
    ]
    others = [
        [transposed(one, number) for one in events if one["event"] != "PolicyPublished"]
        for number, events in enumerate(worlds)
    ]
    each = [reference([*policies, *events]) for events in others]
    expected = Expected(
        arrivals=frozenset().union(*(one.arrivals for one in each)),
        facts=frozenset().union(*(one.facts for one in each)),
        flags=frozenset().union(*(one.flags for one in each)),
        conflicts=frozenset().union(*(one.conflicts for one in each)),
        unmatched=frozenset().union(*(one.unmatched for one in each)),
    )
    return [*policies, *(event for events in others for event in events)], expected


@pytest.mark.slow
@pytest.mark.parametrize("order", sampled([0, 1, 2, "in time", "backwards"], 5))
@pytest.mark.parametrize("batches", sampled([5, 1], 2))
def test_a_crowd_of_worlds_is_the_union_of_them(
    crowd: tuple[list[Event], Expected], order: str | int, batches: int
) -> None:
    events, expected = crowd
    events = list(events)
    Random(order).shuffle(events)  # noqa: S311 - an order to try, no secret
    if isinstance(order, str):
        events.sort(key=happened_at, reverse=order == "backwards")
    with lineage.open(":memory:") as store:
        for number in range(batches):
            store.apply(events[number::batches] if order == 2 else cut(events, number, batches))
        assert observed(store) == expected


def cut(events: list[Event], number: int, batches: int) -> list[Event]:
    """The batch of that number when the events come in so many batches of one size."""
    return events[len(events) * number // batches : len(events) * (number + 1) // batches]

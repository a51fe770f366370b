"""Adversarial event logs: small alphabets, so that everything collides with everything.

A log is drawn in a world of a few ids, datasets, members and instants that all its events share:
a message id is also a hop id, a record id and a member id; hops go round in circles, stand on one
instant, or move what was not there yet. `logs` gives valid events with repeats and conflicts,
`histories` those in any order, cut into batches, with restarts between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.lineage.events import builders
from tests.lineage.events.alphabets import (
    DATASETS,
    FAR_MOMENTS,
    IDS,
    KINDS,
    METHODS,
    MOMENTS,
    OPERATIONS,
    RECIPIENTS,
    REGIONS,
    RULE_IDS,
    RULES,
    SEVERITIES,
    TIERS,
)
from tests.lineage.semantics.reference_log import Event, instant


@dataclass(frozen=True)
class World:
    """What the events of one log share."""

    ids: Sequence[str]
    datasets: Sequence[str]
    moments: Sequence[str]

    def id(self) -> st.SearchStrategy[str]:
        return st.sampled_from(self.ids)

    def dataset(self) -> st.SearchStrategy[str]:
        return st.sampled_from(self.datasets)

    def moment(self) -> st.SearchStrategy[str]:
        return st.sampled_from(self.moments)

    def early(self) -> st.SearchStrategy[str]:
        """A moment that most others are not before, so that most hops find something to move."""
        return st.sampled_from([*self.moments[:2], *self.moments[:2], *self.moments])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    odd = draw(st.booleans())
    moments = list(MOMENTS[: draw(st.integers(2, len(MOMENTS)))])
    if draw(st.integers(0, 9)) == 9:
        moments += FAR_MOMENTS
    some = st.lists(st.sampled_from(IDS), min_size=2, max_size=5, unique=True)
    return World(
        ids=draw(some) if odd else IDS[: draw(st.integers(2, 5))],
        datasets=draw(st.lists(st.sampled_from(DATASETS), min_size=2, max_size=4, unique=True))
        if odd
        else DATASETS[: draw(st.integers(2, 4))],
        moments=moments,
    )


@st.composite
def messages(draw: st.DrawFn, world: World) -> Event:
    def a_party(role: str) -> Event:
        return builders.party(
            role,
            draw(world.id()),
            tier=draw(st.sampled_from(TIERS)),
            region=draw(st.sampled_from(REGIONS)),
            ai=draw(st.booleans()),
            third=draw(st.booleans()),
        )

    parties = [a_party("SENDER")]
    parties += [a_party("RECIPIENT") for _ in range(draw(st.integers(1, 3)))]
    return builders.message(
        draw(world.id()),
        sent_at=draw(world.early()),
        dataset=draw(world.dataset()),
        channel=draw(st.sampled_from(("INMAIL", "INMAIL", "DIRECT", "GROUP"))),
        parties=draw(st.permutations(parties)),
    )


@st.composite
def hops(draw: st.DrawFn, world: World) -> Event:
    methods = st.tuples(st.sampled_from(METHODS), st.sampled_from((9, 10, 11, -1, 2**31 - 1)))
    return builders.hop(
        draw(world.id()),
        draw(world.dataset()),
        draw(world.dataset()),
        draw(st.lists(world.id(), min_size=1, max_size=3, unique=True)),
        draw(st.lists(world.id(), max_size=3, unique=True)),
        moved_at=draw(world.moment()),
        operation=draw(st.sampled_from(OPERATIONS)),
        declassification=draw(st.none() | methods),
    )


@st.composite
def consents(draw: st.DrawFn, world: World) -> Event:
    return builders.consent(
        draw(world.id()),
        draw(world.id()),
        granted=draw(st.booleans()),
        purpose=draw(st.sampled_from(("AI_TRAINING", "THIRD_PARTY"))),
        effective_at=draw(world.moment()),
    )


@st.composite
def declarations(draw: st.DrawFn, world: World) -> Event:
    return builders.declared(
        draw(world.id()),
        draw(world.dataset()),
        draw(st.sampled_from(KINDS)),
        draw(st.sampled_from(("THIRD", "FIRST"))),
        draw(st.sampled_from(RECIPIENTS)),
        declared_at=draw(world.moment()),
    )


@st.composite
def policies(draw: st.DrawFn, world: World) -> Event:
    rules = st.lists(
        st.tuples(st.sampled_from(RULE_IDS), st.sampled_from(SEVERITIES), st.sampled_from(RULES)),
        max_size=4,
        unique_by=lambda rule: rule[0],
    )
    accepted = st.sampled_from(
        ((), (("k-anonymity", 10),), (("noise", 11),), (("noise", 10), ("k-anonymity", 11)))
    )
    return builders.policy(
        draw(world.id()),
        draw(rules),
        effective_at=draw(world.early()),
        disclosed_at=draw(st.none() | world.moment()),
        paying_tiers=draw(st.lists(st.sampled_from(TIERS), unique=True)),
        exempt_regions=draw(st.lists(st.sampled_from(REGIONS), unique=True)),
        declassification=draw(accepted),
    )


STATES = ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT")


@st.composite
def reports(draw: st.DrawFn, world: World) -> Event:
    counts = st.sampled_from((0, 1, 2**53 - 1))
    return builders.reported(
        draw(world.id()),
        draw(st.just("run") | world.id()),
        draw(st.sampled_from(STATES)),
        hops=draw(counts),
        records=draw(counts),
        reported_at=draw(world.moment()),
    )


ID_FIELDS = {
    "MessageSent": ("message_id", messages),
    "RecordsMoved": ("hop_id", hops),
    "ConsentChanged": ("change_id", consents),
    "DatasetDeclared": ("declaration_id", declarations),
    "PolicyPublished": ("policy_id", policies),
    "RunReported": ("report_id", reports),
}


def of_type(world: World, name: str, least: int, most: int) -> st.SearchStrategy[list[Event]]:
    """Events of one type, each id once, numbered on beyond the world's ids if need be."""
    id_field, strategy = ID_FIELDS[name]

    def named(events: list[Event]) -> list[Event]:
        taken: set[str] = set()
        for number, event in enumerate(events):
            if event[id_field] in taken:
                event[id_field] = f"{number}{event[id_field]}"[:256]
            taken.add(event[id_field])
        return events

    return st.lists(strategy(world), min_size=least, max_size=most).map(named)


@st.composite
def respelled(draw: st.DrawFn, event: Event) -> Event:
    """The same content, written otherwise."""
    again: dict[str, Any] = {}
    for name, value in event.items():
        if value is None and draw(st.booleans()):
            continue  # absent is null
        if name.endswith("_at") and value is not None:
            again[name] = respell_instant(value, draw(st.sampled_from((0, 120, -330, None))))
        elif name in ("inputs", "outputs") and value:
            again[name] = [*draw(st.permutations(value)), *draw(st.lists(st.sampled_from(value)))]
        else:
            again[name] = value
    if draw(st.booleans()):
        again["body"] = "a field that the schema does not know"
    names = draw(st.permutations(list(again)))
    return {name: again[name] for name in names}


def respell_instant(text: str, offset_minutes: int | None) -> str:
    """The same instant in another zone; None: in Z, without a fraction if it has none."""
    when = instant(text)
    if offset_minutes is None or not 1970 < when.year < 9999:
        return text.replace(".000000Z", "Z")
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    local = when + timedelta(minutes=offset_minutes)
    return f"{local.isoformat(timespec='microseconds')}{sign}{hours:02}:{minutes:02}"


@st.composite
def logs(draw: st.DrawFn, full: bool | None = None) -> list[Event]:
    """Valid events, with repeats, respelled repeats and conflicts, in no particular order.

    A `full` log has some of each event type; None is either.
    """
    world = draw(worlds())
    full = draw(st.booleans()) if full is None else full
    events = [
        *draw(of_type(world, "MessageSent", 2 * full, 4)),
        *draw(of_type(world, "RecordsMoved", 4 * full, 8)),
        *draw(of_type(world, "ConsentChanged", 2 * full, 5)),
        *draw(of_type(world, "DatasetDeclared", 1 * full, 5)),
        *draw(of_type(world, "PolicyPublished", 1 * full, 3)),
        *draw(of_type(world, "RunReported", 1 * full, 2)),
    ]
    if not events:
        return events
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    for event in again:
        if draw(st.booleans()):
            events.append(draw(respelled(event)))
        else:
            id_field, strategy = ID_FIELDS[event["event"]]
            events.append({**draw(strategy(world)), id_field: event[id_field]})
    return events


def happened_at(event: Event) -> datetime:
    fields = ("sent_at", "moved_at", "effective_at", "declared_at", "reported_at")
    return instant(next(event[name] for name in fields if name in event))


@dataclass(frozen=True)
class History:
    """Batches in the order in which they come; the store is reopened before the batches named."""

    batches: tuple[list[Event], ...]
    restarts: frozenset[int] = frozenset()

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]


@st.composite
def histories(draw: st.DrawFn, restarts: bool = False) -> History:
    """A log in any order, cut anywhere; with `restarts`, at least one if there is a cut."""
    events = draw(st.permutations(draw(logs())))
    order = draw(st.sampled_from(("any", "in time", "in time but a few", "backwards")))
    if order != "any":
        events = sorted(events, key=happened_at, reverse=order == "backwards")
    if order == "in time but a few" and events:
        for late in draw(st.lists(st.sampled_from(range(len(events))), max_size=2)):
            events.append(events.pop(late))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=len(events))))
    edges = [0, *(cut for cut in cuts if cut < len(events)), len(events)]
    batches = tuple(list(events[start:end]) for start, end in pairwise(edges))
    between = st.sampled_from(range(1, len(batches))) if len(batches) > 1 else None
    if not restarts or between is None:
        return History(batches)
    return History(batches, frozenset(draw(st.sets(between, min_size=1))))

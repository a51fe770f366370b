"""Injects leaks and near misses into a log, and tells the flags that they come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from streams.simulate.leaks import exports, near_misses, training, worst_case
from streams.simulate.leaks.scenario import DURATION_MAX, Scenario
from streams.simulate.leaks.scenario_builder import Break, InjectedEvents, ScenarioBuilder
from streams.simulate.world.events import Frames, frame
from streams.simulate.world.random_stream import RandomStream, stream_key

OWN_MIX = (*exports.SCENARIOS.all, *training.SCENARIOS.all, *near_misses.SCENARIOS.all)
WORST_MIX = tuple(worst_case.SCENARIOS.all)

_ONE_ROUND_IN = 20_000
_ROUNDS_MIN = 3
_MEMBERS = 32
"""Numbers of members set aside for each injection."""

_FLAG_COLUMNS = (
    *("rule", "severity", "message_id", "dataset", "policy_id"),
    *("first_at", "last_at", "arrivals", "first_hop"),
)


@dataclass(frozen=True)
class Injection:
    """One scenario, planted once, from `start` on; `number` counts the injections of the log."""

    number: int
    scenario: Scenario
    start: int


def schedule(seed: int, messages: int, scenarios: tuple[Scenario, ...]) -> list[Injection]:
    """Return the injections of a log of so many messages, by when they start.

    Every scenario is planted once a round: three rounds, or more in a log of more than 60,000
    messages. At most half of the messages are planted; a log too short for that has fewer
    rounds, or not every scenario.
    """
    left = messages // 2
    injections: list[Injection] = []
    for round_ in range(max(_ROUNDS_MIN, messages // _ONE_ROUND_IN)):
        for scenario in scenarios:
            if scenario.messages > left:
                return sorted(injections, key=lambda one: (one.start, one.number))
            left -= scenario.messages
            random_stream = RandomStream(stream_key(seed, "start", scenario.name, round_))
            start = scenario.era.start + random_stream.below(
                scenario.era.end - DURATION_MAX - scenario.era.start
            )
            injections.append(Injection(len(injections), scenario, start))
    return sorted(injections, key=lambda one: (one.start, one.number))


class LeakInjector:
    """Injects the events of scenarios as the log comes to them, and keeps the rules they break.

    arrivals, leaks and near_misses count what was planted so far.
    """

    def __init__(self, seed: int, injections: list[Injection], first_member: int) -> None:
        self._seed = seed
        self._waiting = injections[::-1]
        self._first_member = first_member
        self.breaks: list[Break] = []
        self.messages = sum(injection.scenario.messages for injection in injections)
        self.arrivals = 0
        self.leaks: Counter[str] = Counter()
        self.near_misses: Counter[str] = Counter()

    def until(self, before: int) -> Frames:
        """Return the events of the next injections: all that start before an instant."""
        into = InjectedEvents()
        while self._waiting and self._waiting[-1].start < before:
            injection = self._waiting.pop()
            scenario = injection.scenario
            random_stream = RandomStream(stream_key(self._seed, "plant", injection.number))
            first_member = self._first_member + injection.number * _MEMBERS
            scenario.build(ScenarioBuilder(random_stream, injection.start, first_member, into))
            (self.leaks if scenario.leak else self.near_misses)[scenario.name] += 1
        self.breaks += into.breaks
        self.arrivals += into.arrivals
        return {name: [frame(name, rows)] for name, rows in into.rows.items()}


def expected_flags(breaks: list[Break]) -> pl.DataFrame:
    """Return the flags that breaks come to: the columns of `flag`, by rule, message and dataset.

    first_at and last_at in microseconds since 1970 (Int64). A flag's policy, severity and hop
    are those of its first break, of two at once the one with the smaller hop id.
    """
    schema = {name: pl.Int64 if name == "at" else pl.String for name in Break.__annotations__}
    return (
        pl.DataFrame([vars(b) for b in breaks], schema=schema)
        .sort("at", "hop_id")
        .group_by("rule", "message_id", "dataset", maintain_order=True)
        .agg(
            pl.col("severity", "policy_id").first(),
            first_at=pl.col("at").first(),
            last_at=pl.col("at").last(),
            arrivals=pl.len(),
            first_hop=pl.col("hop_id").first(),
        )
        .sort("rule", "message_id", "dataset")
        .select(_FLAG_COLUMNS)
    )

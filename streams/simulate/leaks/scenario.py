"""Collects scenarios of leaks and near misses, by decorating the functions that build them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streams.simulate.leaks.scenario_builder import ScenarioBuilder
from streams.simulate.world import company

Build = Callable[[ScenarioBuilder], None]


@dataclass(frozen=True)
class Scenario:
    """A kind of leak or near miss: its name, how many messages it takes, when it can start."""

    name: str
    leak: bool
    messages: int
    era: company.Era
    build: Build


DURATION_MAX = 12 * company.DAY
"""An injection is over by then, unless it says otherwise."""


def around(instant: int) -> company.Era:
    """Return the era of injections that start days before an instant and are to act upon it."""
    return company.Era(instant - 8 * company.DAY, instant - 4 * company.DAY + DURATION_MAX)


class Scenarios:
    """A list of scenarios, to be filled by decorating their functions."""

    def __init__(self) -> None:
        self.all: list[Scenario] = []

    def leak(self, messages: int, era: company.Era = company.ALWAYS) -> Callable[[Build], Build]:
        """Add a scenario that must be flagged."""
        return self._add(messages, era, leak=True)

    def near_miss(
        self, messages: int, era: company.Era = company.ALWAYS
    ) -> Callable[[Build], Build]:
        """Add a scenario that looks like a leak and is none."""
        return self._add(messages, era, leak=False)

    def _add(self, messages: int, era: company.Era, *, leak: bool) -> Callable[[Build], Build]:
        def add(make: Build) -> Build:
            name = make.__name__.replace("_", "-")
            self.all.append(Scenario(name, leak, messages, era, make))
            return make

        return add

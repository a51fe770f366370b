"""What kinds of plants there are: recipes, collected by decorating the functions that plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streams.simulate.leaks.scenario_builder import Planter
from streams.simulate.world import company

Make = Callable[[Planter], None]


@dataclass(frozen=True)
class Recipe:
    """A kind of plant: its name, how many messages it takes, when it can start, what it does."""

    name: str
    leak: bool
    messages: int
    era: company.Era
    make: Make


LASTS = 12 * company.DAY
"""A plant is over by then, unless it says otherwise."""


def around(instant: int) -> company.Era:
    """The era of plants that start days before an instant and are to act upon it."""
    return company.Era(instant - 8 * company.DAY, instant - 4 * company.DAY + LASTS)


class Recipes:
    """A list of recipes, to be filled by decorating their functions."""

    def __init__(self) -> None:
        self.all: list[Recipe] = []

    def leak(self, messages: int, era: company.Era = company.ALWAYS) -> Callable[[Make], Make]:
        """Something that must be flagged."""
        return self._add(messages, era, leak=True)

    def near_miss(self, messages: int, era: company.Era = company.ALWAYS) -> Callable[[Make], Make]:
        """Something that looks like a leak and is none."""
        return self._add(messages, era, leak=False)

    def _add(self, messages: int, era: company.Era, *, leak: bool) -> Callable[[Make], Make]:
        def add(make: Make) -> Make:
            name = make.__name__.replace("_", "-")
            self.all.append(Recipe(name, leak, messages, era, make))
            return make

        return add

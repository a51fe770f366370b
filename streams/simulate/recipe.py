"""What kinds of plants there are: recipes, collected by decorating the functions that plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streams.simulate import world
from streams.simulate.plant import Planter

Make = Callable[[Planter], None]


@dataclass(frozen=True)
class Recipe:
    """A kind of plant: its name, how many messages it takes, when it can start, what it does."""

    name: str
    leak: bool
    messages: int
    era: world.Era
    make: Make


LASTS = 12 * world.DAY
"""A plant is over by then, unless it says otherwise."""


def around(instant: int) -> world.Era:
    """The era of plants that start days before an instant and are to act upon it."""
    return world.Era(instant - 8 * world.DAY, instant - 4 * world.DAY + LASTS)


class Recipes:
    """A list of recipes, to be filled by decorating their functions."""

    def __init__(self) -> None:
        self.all: list[Recipe] = []

    def leak(self, messages: int, era: world.Era = world.ALWAYS) -> Callable[[Make], Make]:
        """Something that must be flagged."""
        return self._add(messages, era, leak=True)

    def near_miss(self, messages: int, era: world.Era = world.ALWAYS) -> Callable[[Make], Make]:
        """Something that looks like a leak and is none."""
        return self._add(messages, era, leak=False)

    def _add(self, messages: int, era: world.Era, *, leak: bool) -> Callable[[Make], Make]:
        def add(make: Make) -> Make:
            name = make.__name__.replace("_", "-")
            self.all.append(Recipe(name, leak, messages, era, make))
            return make

        return add

"""Which plants a log gets, and when each one happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from streams.simulate.leaks import exports, near_misses, training, worst_case
from streams.simulate.leaks.scenario import LASTS, Recipe
from streams.simulate.leaks.scenario_builder import Break, Planted, Planter
from streams.simulate.world.events import Frames, frame
from streams.simulate.world.random_stream import Draws, stream

OWN = (*exports.RECIPES.all, *training.RECIPES.all, *near_misses.RECIPES.all)
WORST = tuple(worst_case.RECIPES.all)

_ONE_ROUND_IN = 20_000
_ROUNDS_MIN = 3
_MEMBERS = 32
"""Numbers of members set aside for each plant."""

_FLAG_COLUMNS = (
    *("rule", "severity", "message_id", "dataset", "policy_id"),
    *("first_at", "last_at", "arrivals", "first_hop"),
)


@dataclass(frozen=True)
class Plant:
    """One instance of a recipe; `number` counts the plants of the log."""

    number: int
    recipe: Recipe
    start: int


def schedule(seed: int, messages: int, recipes: tuple[Recipe, ...]) -> list[Plant]:
    """The plants of a log of so many messages, by when they start.

    Every recipe is planted once a round: three rounds, or more in a log of more than 60,000
    messages. At most half of the messages are planted; a log too short for that has fewer
    rounds, or not every recipe.
    """
    left = messages // 2
    plants: list[Plant] = []
    for round_ in range(max(_ROUNDS_MIN, messages // _ONE_ROUND_IN)):
        for recipe in recipes:
            if recipe.messages > left:
                return sorted(plants, key=lambda plant: (plant.start, plant.number))
            left -= recipe.messages
            draws = Draws(stream(seed, "start", recipe.name, round_))
            start = recipe.era.start + draws.below(recipe.era.end - LASTS - recipe.era.start)
            plants.append(Plant(len(plants), recipe, start))
    return sorted(plants, key=lambda plant: (plant.start, plant.number))


class Garden:
    """Makes the events of plants as the log comes to them, and keeps what they break.

    arrivals, leaks and near_misses count what was planted so far.
    """

    def __init__(self, seed: int, plants: list[Plant], first_member: int) -> None:
        self._seed = seed
        self._waiting = plants[::-1]
        self._first_member = first_member
        self.breaks: list[Break] = []
        self.messages = sum(plant.recipe.messages for plant in plants)
        self.arrivals = 0
        self.leaks: Counter[str] = Counter()
        self.near_misses: Counter[str] = Counter()

    def until(self, before: int) -> Frames:
        """The events of the plants that start before an instant and were not made yet."""
        into = Planted()
        while self._waiting and self._waiting[-1].start < before:
            plant = self._waiting.pop()
            recipe = plant.recipe
            draws = Draws(stream(self._seed, "plant", plant.number))
            first_member = self._first_member + plant.number * _MEMBERS
            recipe.make(Planter(draws, plant.start, first_member, into))
            (self.leaks if recipe.leak else self.near_misses)[recipe.name] += 1
        self.breaks += into.breaks
        self.arrivals += into.arrivals
        return {name: [frame(name, rows)] for name, rows in into.rows.items()}


def expected_flags(breaks: list[Break]) -> pl.DataFrame:
    """The flags that the breaks come to: the columns of `flag`, by rule, message and dataset.

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

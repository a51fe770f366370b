"""Each recipe alone, held against the plain reading of the semantics: it flags what it says."""

from pathlib import Path

import pytest

from streams.simulate import company, injection
from streams.simulate.log_writer import JsonLines, with_text_instants
from streams.simulate.run import introduction
from streams.simulate.scenario import Recipe
from streams.simulate.scenario_builder import Break
from tests.lineage.semantics.reference import FLAG_COLUMNS, reference
from tests.samples import sampled
from tests.streams.simulate.reading import events, plain

MIXES = {"own": injection.OWN, "worst": injection.WORST}
RECIPES = [(mix, recipe) for mix, recipes in MIXES.items() for recipe in recipes]


@pytest.mark.parametrize(
    "recipe",
    sampled([recipe for _, recipe in RECIPES], 32),
    ids=[f"{mix}: {recipe.name}" for mix, recipe in RECIPES],
)
def test_a_plant_is_flagged_as_its_recipe_says(recipe: Recipe, tmp_path: Path) -> None:
    plants = injection.schedule(1, 100, (recipe,))
    assert [plant.recipe for plant in plants] == 3 * [recipe]
    garden = injection.Garden(1, plants, first_member=0)
    log = JsonLines(tmp_path)
    log.add(introduction())
    log.add(garden.until(company.NEVER))
    log.write_until(company.NEVER)
    found = reference(events(tmp_path))

    flags = with_text_instants(injection.expected_flags(garden.breaks))
    assert set(flags.rows()) == {tuple(plain(v) for v in row) for row in found.flags}
    assert len(found.arrivals) == garden.arrivals
    assert garden.messages == log.events["MessageSent"] == 3 * recipe.messages
    assert bool(garden.breaks) == recipe.leak


@pytest.mark.parametrize("recipes", MIXES.values(), ids=MIXES)
def test_no_two_recipes_share_a_name(recipes: tuple[Recipe, ...]) -> None:
    assert len({recipe.name for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize(
    "name",
    [
        "straight-export",
        "laundered-by-aggregate",
        "laundered-by-rekeying",
        "undeclared-dataset",
        "consent-race",
        "withdrawal-late-in-log",
        "anonymised-too-weakly",
        "exempt-region",
        "before-disclosure",
    ],
)
def test_the_classic_leaks_are_there(name: str) -> None:
    assert any(recipe.name == name and recipe.leak for recipe in injection.OWN)


def test_every_rule_of_every_policy_is_broken_by_some_plant() -> None:
    plants = injection.schedule(1, 4_000, injection.OWN)
    garden = injection.Garden(1, plants, first_member=0)
    garden.until(company.NEVER)
    broken = {(b.policy_id, b.rule) for b in garden.breaks}
    assert {rule for _, rule in broken} == set(company.NOTICE_POLICY.severity)
    assert {policy for policy, _ in broken} == {
        "built-in",
        *(p.policy_id for p in company.PUBLISHED),
    }


def test_every_recipe_is_planted_three_times_or_more_the_longer_the_log() -> None:
    for messages, times in ((1_000, 3), (50_000, 3), (200_000, 10)):
        plants = injection.schedule(1, messages, injection.OWN)
        assert len(plants) == times * len(injection.OWN)


@pytest.mark.parametrize("messages", [1, 2, 7, 50, 300])
def test_at_most_half_of_a_short_log_is_planted(messages: int) -> None:
    plants = injection.schedule(1, messages, injection.OWN)
    assert sum(plant.recipe.messages for plant in plants) <= messages // 2


def test_a_flag_is_the_first_break_and_of_two_at_once_the_smaller_hop() -> None:
    def broken(at: int, hop_id: str, policy_id: str) -> Break:
        return Break("rule", f"severity of {hop_id}", "m", "d", policy_id, at, hop_id)

    flags = injection.expected_flags(
        [broken(5, "c", "later"), broken(4, "b", "same"), broken(4, "a", "first")]
    )
    assert flags.rows(named=True) == [
        {
            **dict(zip(FLAG_COLUMNS, ("rule", "severity of a", "m", "d", "first"), strict=False)),
            "first_at": 4,
            "last_at": 5,
            "arrivals": 3,
            "first_hop": "a",
        }
    ]


def test_without_a_break_there_is_no_flag() -> None:
    assert injection.expected_flags([]).columns == list(FLAG_COLUMNS)
    assert injection.expected_flags([]).height == 0

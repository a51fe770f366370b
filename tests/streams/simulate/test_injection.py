"""Each scenario alone, held against the plain reading of the semantics: it flags what it says."""

from pathlib import Path

import pytest

from streams.simulate.leaks import injection
from streams.simulate.leaks.scenario import Scenario
from streams.simulate.leaks.scenario_builder import Break
from streams.simulate.log_writer import JsonLines, with_text_instants
from streams.simulate.run import declarations_and_policies
from streams.simulate.world import company
from tests.lineage.semantics.reference import FLAG_COLUMNS, reference
from tests.streams.simulate.log_reader import events, plain

MIXES = {"own": injection.OWN_MIX, "worst": injection.WORST_MIX}
SCENARIOS = [(mix, scenario) for mix, scenarios in MIXES.items() for scenario in scenarios]


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    [scenario for _, scenario in SCENARIOS],
    ids=[f"{mix}: {scenario.name}" for mix, scenario in SCENARIOS],
)
def test_a_plant_is_flagged_as_its_recipe_says(scenario: Scenario, tmp_path: Path) -> None:
    injections = injection.schedule(1, 100, (scenario,))
    assert [each.scenario for each in injections] == 3 * [scenario]
    injector = injection.LeakInjector(1, injections, first_member=0)
    log = JsonLines(tmp_path)
    log.add(declarations_and_policies())
    log.add(injector.until(company.NEVER))
    log.write_until(company.NEVER)
    found = reference(events(tmp_path))

    flags = with_text_instants(injection.expected_flags(injector.breaks))
    assert set(flags.rows()) == {tuple(plain(v) for v in row) for row in found.flags}
    assert len(found.arrivals) == injector.arrivals
    assert injector.messages == log.events["MessageSent"] == 3 * scenario.messages
    assert bool(injector.breaks) == scenario.leak


@pytest.mark.parametrize("scenarios", MIXES.values(), ids=MIXES)
def test_no_two_recipes_share_a_name(scenarios: tuple[Scenario, ...]) -> None:
    assert len({scenario.name for scenario in scenarios}) == len(scenarios)


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
    assert any(scenario.name == name and scenario.leak for scenario in injection.OWN_MIX)


def test_every_rule_of_every_policy_is_broken_by_some_plant() -> None:
    injections = injection.schedule(1, 4_000, injection.OWN_MIX)
    injector = injection.LeakInjector(1, injections, first_member=0)
    injector.until(company.NEVER)
    broken = {(b.policy_id, b.rule) for b in injector.breaks}
    assert {rule for _, rule in broken} == set(company.NOTICE_POLICY.severity)
    assert {policy for policy, _ in broken} == {
        "built-in",
        *(p.policy_id for p in company.PUBLISHED),
    }


def test_every_recipe_is_planted_three_times_or_more_the_longer_the_log() -> None:
    for messages, times in ((1_000, 3), (50_000, 3), (200_000, 10)):
        injections = injection.schedule(1, messages, injection.OWN_MIX)
        assert len(injections) == times * len(injection.OWN_MIX)


@pytest.mark.parametrize("messages", [1, 2, 7, 50, 300])
def test_at_most_half_of_a_short_log_is_planted(messages: int) -> None:
    injections = injection.schedule(1, messages, injection.OWN_MIX)
    assert sum(each.scenario.messages for each in injections) <= messages // 2


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

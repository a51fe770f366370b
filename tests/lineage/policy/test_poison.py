"""Policies that would cost too much: dead letters with reasons, and everything else goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import lineage
from lineage.errors import PolicyError, RuleError
from lineage.limits import DEFAULT_LIMITS, Limits
from lineage.policy.parse import parse_policy
from tests.lineage.events import builders as b
from tests.lineage.events.builders import Event
from tests.lineage.policy.poison import POISONS, RULES, poison, ruled
from tests.lineage.semantics.observed import EVENT_TABLES, observed, rows
from tests.lineage.semantics.reference import reference
from tests.stores import new_store

pytestmark = pytest.mark.slow

GOOD = (
    ("third", "CRITICAL", "confidential and party = 'THIRD'"),
    ("a", "LOW", "message_id like '_1%'"),
    ("late", "LOW", "arrived_at >= '2024-09-18T02:30:00+02:00' and operation = 'EXPORT'"),
)


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_is_refused_with_the_bound_that_it_exceeds(name: str) -> None:
    make, said = POISONS[name]
    with pytest.raises(PolicyError) as caught:
        parse_policy(make())
    assert said in caught.value.reason
    if name in RULES:
        assert caught.value.reason.startswith("rules[1].when ")


def good_log() -> list[Event]:
    events = [
        b.declared("d1", "vendor", "SINK", "THIRD", "Acme"),
        b.declared("d2", "corpus", "TRAINING_CORPUS"),
        b.policy("p1", GOOD, effective_at=b.at(0)),
        b.policy("p3", GOOD[:1], effective_at=b.at(60)),
    ]
    for i in range(30):
        events.append(b.message(f"m{i}", sent_at=b.at(i * 3)))
        events.append(
            b.hop(
                f"h{i}", "inbox", "vendor", [f"m{i}"], moved_at=b.at(i * 3 + 1), operation="EXPORT"
            )
        )
        events.append(b.hop(f"t{i}", "inbox", "corpus", [f"m{i}"], moved_at=b.at(i * 3 + 2)))
    return events


def test_the_rest_of_a_log_is_judged_as_if_the_poisons_were_not_there() -> None:
    good = good_log()
    bad = [poison(name, f"x{i}", b.at(i)) for i, name in enumerate(POISONS)]
    expected = reference(good)
    assert expected.flags
    for seed in range(4):
        random = Random(seed)  # noqa: S311 - an order
        mixed = [*good, *bad]
        random.shuffle(mixed)
        with new_store() as store:
            while mixed:
                cut = random.randint(1, len(mixed)) if seed else len(mixed)
                store.apply(mixed[:cut])
                mixed = mixed[cut:]
            assert observed(store) == expected
            assert {row[0] for row in rows(store, "policy", ["policy_id"])} >= {"p1", "p3"}
            reasons = [row[0] for row in rows(store, "dead_letter", ["reason"])]
            assert all(reason.startswith("document: ") for reason in reasons)
            for name in POISONS:
                assert any(POISONS[name][1] in reason for reason in reasons), name
            tables = {name: rows(store, name) for name in EVENT_TABLES}
        with new_store() as store:
            store.apply(good)
            assert tables == {name: rows(store, name) for name in EVENT_TABLES}


def test_a_replay_goes_on_past_poisons(tmp_path: Path) -> None:
    good = good_log()
    bad = [poison(name, f"x{i}", b.at(i)) for i, name in enumerate(POISONS)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in [*good[:40], *bad, *good[40:]]))
    with lineage.open(tmp_path / "a.duckdb") as store:
        replayed = store.replay(log, batch_events=25)
        assert (replayed.events, replayed.dead_letters) == (len(good), len(bad))
        assert observed(store) == reference(good)
        mixed = store.digest()
    with lineage.open(tmp_path / "b.duckdb") as store:
        store.apply(good)
        assert store.digest() == mixed


# ---- what is accepted is evaluated, in parts ----------------------------------------------------


def test_many_rules_on_many_arrivals_give_the_same_in_parts() -> None:
    events = [
        b.policy("p", [(f"r{i}", "LOW", f"message_id <> 'm{i}'") for i in range(100)]),
        *(b.message(f"m{i}") for i in range(40)),
    ]

    def flags(limits: Limits) -> list[tuple[object, ...]]:
        with new_store(limits=limits) as store:
            store.apply(events)
            return rows(store, "flag")

    whole = flags(DEFAULT_LIMITS)
    assert len(whole) == 100 * 40 - 40
    assert flags(Limits(evaluated_facts=7, rules=3)) == whole


def test_what_fails_as_a_whole_is_done_in_halves() -> None:
    # DuckDB refuses the memory for all rows at once, and has enough for some.
    events = [
        b.policy("p", [(f"r{i}", "LOW", f"message_id || recipient <> '{i}'") for i in range(3)]),
        b.declared("d", "vendor", "SINK", "THIRD", "r" * 256),
        *(b.message(f"{i:06}".ljust(256, "m"), dataset="vendor") for i in range(30_000)),
    ]
    with new_store(limits=Limits(rule_memory_mib=9)) as store:
        store.apply(events)
        assert store.sql("select count(*) from flag").fetchone() == (90_000,)


def forget(store: lineage.Store) -> None:
    """Have the store read its policies again."""
    assert store._writer is not None
    store._writer._derivation = None


def test_a_rule_that_cannot_be_evaluated_is_named_and_nothing_is_recorded() -> None:
    # No document that is accepted has such a rule; here it is put into the table.
    with new_store() as store:
        store.apply([b.policy("p", [("good", "LOW", "true"), ("bad", "LOW", "confidential")])])
        store._connection.execute(
            "UPDATE core.policy_rule SET expression = 'error(message_id)',"
            " facts = ['message_id'] WHERE rule = 'bad'"
        )
        forget(store)
        with pytest.raises(RuleError) as caught:
            store.apply([b.message("m"), b.message("n")])
        assert "policy p: rule bad cannot be evaluated" in str(caught.value)
        assert caught.value.exit_code == 3
        assert rows(store, "message") == []
        # The store goes on as before.
        store._connection.execute("DELETE FROM core.policy_rule WHERE rule = 'bad'")
        forget(store)
        store.apply([b.message("m")])
        assert [row[0] for row in rows(store, "flag", ["rule"])] == ["good"]


# ---- figures ------------------------------------------------------------------------------------

_EVALUATING = """
import resource, sys, time
from tests.lineage.policy.test_poison import WORST, as_many_as_accepted
import lineage
from tests.lineage.events import builders as b
document = as_many_as_accepted(WORST[sys.argv[1]])
messages = [b.message(f"{i:06}ab".ljust(130, "é")) for i in range(2000)]
with lineage.open(":memory:") as store:
    store.apply([{**b.policy("p"), "document": document}])
    before = resource.getrusage(resource.RUSAGE_SELF)
    applied = store.apply(messages)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert applied.arrivals == 2000 and not applied.dead_letters
seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(seconds, (after.ru_maxrss - before.ru_maxrss) / 1024)
"""

# Rules, by their number, of which a policy may have many; the costliest of each kind.
WORST = {
    "failures": lambda i: f"length(message_id) * {_BIG - i} < 0",
    "masked failures": lambda i: (
        f"coalesce(coalesce(length(message_id) * {_BIG - i}, {_BIG}) * 2, 1) < 0"
    ),
    "letters": lambda i: f"reverse(lower(message_id)) = '{i}'",
    "expressions": lambda i: f"regexp_matches(message_id, '[ab]*a[ab]{{12}}[^ab]{i}')",
    "patterns": lambda i: f"message_id ilike '%a_b%é%b_{i}%'",
    "comparisons": lambda i: " or ".join(f"message_id = '{i}{j}'" for j in range(100)),
    "copies": lambda i: (
        f"((message_id between '{i}' and 'b') between false and true) in (declared)"
    ),
    "texts": lambda i: f"concat(message_id, message_id, dataset, message_id, '{i}') = ''",
}
_BIG = 9223372036854775807


def as_many_as_accepted(rule: object) -> str:
    assert callable(rule)
    few, many = 0, 101
    while many - few > 1:
        middle = (few + many) // 2
        try:
            parse_policy(ruled(*map(rule, range(middle))))
            few = middle
        except PolicyError:
            many = middle
    assert few, "not even one is accepted"
    return ruled(*map(rule, range(few)))


@pytest.mark.parametrize("kind", WORST)
def test_the_costliest_policies_that_are_accepted_are_no_poison(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EVALUATING, kind], capture_output=True, text=True, check=True
    )
    seconds, mebibytes = map(float, done.stdout.split())
    # Of its processor: some 0.2 s are the messages' own. A poison takes minutes or gigabytes.
    assert seconds < 10
    assert mebibytes < 200


_READING = """
import resource, sys
from tests.lineage.policy.test_poison import HOSTILE
from lineage.errors import PolicyError
from lineage.policy.parse import parse_policy
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    parse_policy(HOSTILE[sys.argv[1]]())
except PolicyError:
    pass
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime - before.ru_utime, (after.ru_maxrss - before.ru_maxrss) / 1024)
"""
_SIZE = 256 * 1024
HOSTILE = {
    **{name: make for name, (make, _) in POISONS.items()},
    "flow of lists": lambda: "[" + "[]," * (_SIZE // 3 - 4) + "]",
    "JSON that is none": lambda: '{"a":[' + "1," * (_SIZE // 2 - 10) + "]}",
    "quoted lines": lambda: 'a: "' + "\n " * (_SIZE // 2 - 4) + '"',
    "block of lines": lambda: "a: |\n" + "\n" * (_SIZE - 10),
    "plain lines": lambda: "a: " + "b\n " * (_SIZE // 3 - 4),
    "comments": lambda: "#\n" * (_SIZE // 2 - 2) + "a: b",
    "keys": lambda: "".join(f"k{i:05}: v\n" for i in range(_SIZE // 10)),
    "long keys": lambda: "[" + ("a" * 1000 + ",") * 250 + "]",
    "rules of 4 KiB": lambda: ruled(*("kind = '" + "(" * 4000 + f"{i}'" for i in range(60))),
    "nested rules": lambda: ruled(
        *(nested_rule(i) for i in range(60)),
    ),
}


def nested_rule(i: int) -> str:
    return "case when confidential then disclosed else " * 14 + f"kind = '{i}'" + " end" * 14


@pytest.mark.parametrize("name", HOSTILE)
def test_any_document_is_read_in_seconds(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _READING, name], capture_output=True, text=True, check=True
    )
    seconds, mebibytes = map(float, done.stdout.split())
    assert seconds < 10
    assert mebibytes < 200

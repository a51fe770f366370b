"""A short form of the fuzzing in `make torture`, and that it finds what it looks for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from lineage.arrays import IntArray
from lineage.codec import Decoder, from_events
from lineage.judge.rule_evaluator import RuleEvaluator
from tests.lineage.codec.examples import HOP, MESSAGE, content
from tests.torture import fuzz, fuzz_avro, fuzz_policies
from tests.torture.fuzz_oracle import MismatchError, same
from tests.torture.mutations import mutated

SEED = 3
INPUTS = 20_000


@pytest.mark.slow
def test_damaged_input_is_refused_or_read_as_others_read_it(tmp_path: Path) -> None:
    fuzzed = fuzz.run(SEED, INPUTS, tmp_path, print)
    assert fuzzed.wrong == []
    assert fuzzed.figures["inputs tried"] >= INPUTS
    assert all(0 < tried.accepted < tried.inputs for tried in fuzzed.tried.values())
    assert fuzzed.tried["policy documents"].share > 0.5


def test_a_value_that_is_read_otherwise_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    decode = Decoder.decode

    def wrongly(self: Decoder, *arguments: object) -> object:
        return decode(self, *arguments[:3], list(reversed(arguments[3])))  # type: ignore[arg-type, call-arg, call-overload]  # passed on

    monkeypatch.setattr(Decoder, "decode", wrongly)
    with pytest.raises(MismatchError):
        fuzz_avro.wire(random.Random(SEED), tmp_path)


@pytest.mark.slow
def test_a_policy_that_flags_otherwise_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    breaches = RuleEvaluator.breaches

    def fewer(self: RuleEvaluator, *arguments: Any) -> tuple[IntArray, IntArray]:  # noqa: ANN401 - passed on
        arrival, rule = breaches(self, *arguments)
        return arrival[1:], rule[1:]

    monkeypatch.setattr(RuleEvaluator, "breaches", fewer)
    with pytest.raises(MismatchError, match="is told by the oracle alone"):
        fuzz_policies.documents(random.Random(SEED), tmp_path)


def test_events_that_differ_are_told_apart() -> None:
    batch = from_events([MESSAGE, HOP])
    same(content(batch), [MESSAGE, HOP])
    with pytest.raises(MismatchError):
        same(content(batch), [{**MESSAGE, "dataset": "other"}, HOP])
    with pytest.raises(MismatchError):
        same(content(batch), [MESSAGE])
    with pytest.raises(MismatchError):
        same(content(batch), [MESSAGE, None])


def test_mutations_are_the_same_for_the_same_chance() -> None:
    value = bytes(range(50))
    several = [mutated(random.Random(seed), value, value[::-1]) for seed in range(50)]
    assert several == [mutated(random.Random(seed), value, value[::-1]) for seed in range(50)]
    assert len(set(several)) > 40

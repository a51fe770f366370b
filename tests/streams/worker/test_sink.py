"""The sink hands out each raised or cleared flag until it is told that it is published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lineage.codec import Encoder, LocalIds, from_events
from lineage.ingest.encode import encode
from streams.worker.limits import WORKER_LIMITS
from streams.worker.pipeline.sink import StoreSink
from tests.lineage.events.builders import Event, at, declared, hop, message

ENCODER = Encoder(LocalIds())
LEAK = [
    declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme"),
    message("m"),
    hop("h", "inbox", "vendor", ["m"]),
]
CLEARED = [declared("e", "vendor", kind="SINK", party="FIRST", declared_at=at(5))]


def keys(flags: Sequence[tuple[bytes, bytes]]) -> list[list[str]]:
    return [json.loads(key) for key, _ in flags]


def apply(sink: StoreSink, events: list[Event]) -> None:
    sink.apply(encode(from_events(events)), {}, {})


def test_what_is_not_published_is_given_again_even_by_another_process(tmp_path: Path) -> None:
    path = str(tmp_path / "l.duckdb")
    sink = StoreSink(path, ENCODER)
    assert sink.flags() == (0, [])
    apply(sink, LEAK)
    number, flags = sink.flags()
    assert ["confidential-inmail-to-third-party", "m", "vendor"] in keys(flags)
    assert len(flags) == number > 0
    assert sink.flags() == (number, flags)
    sink.close()
    sink = StoreSink(path, ENCODER)
    assert sink.flags() == (number, flags)
    sink.published(number)
    assert sink.flags() == (0, [])
    sink.close()
    sink = StoreSink(path, ENCODER)
    assert sink.flags() == (0, [])
    sink.close()


def test_what_comes_meanwhile_is_still_to_be_published(tmp_path: Path) -> None:
    sink = StoreSink(str(tmp_path / "l.duckdb"), ENCODER)
    sink.flags()
    apply(sink, LEAK)
    number, flags = sink.flags()
    apply(sink, CLEARED)
    both, all_flags = sink.flags()
    assert keys(all_flags)[: len(flags)] == keys(flags)
    sink.published(number)
    last, rest = sink.flags()
    assert (last, rest) == (both, all_flags[len(flags) :])
    assert rest
    sink.close()


@pytest.mark.parametrize("flags_max", [1, 2, 3, 100])
@pytest.mark.parametrize("reopened", [False, True])
def test_many_flags_are_handed_out_in_portions_and_in_order(
    tmp_path: Path, flags_max: int, reopened: bool
) -> None:
    path = str(tmp_path / "l.duckdb")
    limits = replace(WORKER_LIMITS, published_flags_max=flags_max)
    sink = StoreSink(path, ENCODER, limits=limits)
    sink.flags()
    apply(sink, [*LEAK, *(message(f"m{number}", dataset="vendor") for number in range(4))])
    apply(sink, CLEARED)
    expected = sink._store.unpublished()["seq"].to_pylist()
    assert len(expected) == 7
    if reopened:
        sink.close()
        sink = StoreSink(path, ENCODER, limits=limits)
    numbers, told = [], 0
    more = True
    while more:
        number, flags = sink.flags()
        assert len(flags) <= flags_max
        if not flags:
            break
        numbers.append(number)
        told += len(flags)
        more = sink.published(number)
    assert told == len(expected)
    assert numbers == [*expected[flags_max - 1 :: flags_max], expected[-1]][: len(numbers)]
    assert sink.flags() == (0, [])
    apply(sink, [message("last", dataset="vendor")])
    assert len(sink.flags()[1]) == min(flags_max, len(sink._store.unpublished()["seq"]))
    sink.close()

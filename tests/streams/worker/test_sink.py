"""The sink hands out each raised or cleared flag until it is told that it is published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lineage.codec import Encoder, LocalIds, from_events
from lineage.ingest.encode import encode
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

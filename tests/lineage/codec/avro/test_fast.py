"""Datums read side by side: what is plain is read at once, and never more than the contract has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lineage import codec
from lineage.codec import Batch, Encoder, LocalIds, by_name, from_events, read_log
from lineage.codec.avro.fast import read_plain
from lineage.codec.avro.reader import Reader
from lineage.codec.batch import CHILD_TABLES
from lineage.codec.wire import PARSED, datum_of
from tests.lineage.codec.examples import (
    CONSENT,
    DECLARATION,
    GOOD,
    HOP,
    MESSAGE,
    RECIPIENT,
    SENDER,
    Event,
    content,
    datum_bytes,
)
from tests.lineage.codec.strategies import near_events
from tests.lineage.codec.strategies import read_events as any_events
from tests.properties import tried

ENCODER = Encoder(LocalIds())


def plain(event: Event, *datums: bytes) -> tuple[dict[str, Any], list[bool]]:
    """Each datum as a run of its own."""
    sizes = np.array([len(datum) for datum in datums])
    ends = np.cumsum(sizes)
    kind = by_name(event["event"])
    tables, mask = read_plain(kind, kind.fields, datums, ends - sizes, ends, np.ones_like(ends))
    return tables, mask.tolist()


def datum(event: Event) -> bytes:
    return ENCODER.encode(event)[5:]


PLAIN = [
    *GOOD,
    {**MESSAGE, "message_id": "é" * 31, "dataset": "twelve bytes"},
    {**MESSAGE, "parties": [RECIPIENT, *[{**RECIPIENT, "member_id": "x" * 63}] * 40, SENDER]},
    {**HOP, "declassification": None, "outputs": []},
    {**HOP, "inputs": [f"{i:036d}" for i in range(500)], "outputs": ["a"]},
    {**HOP, "declassification": {"method": "", "k": -64}},
    {**HOP, "declassification": {"method": "k", "k": 8191}},
    {**DECLARATION, "recipient": None},
    {**CONSENT, "granted": True, "effective_at": "1980-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("event", PLAIN, ids=lambda e: e["event"])
def test_what_is_usual_is_plain(event: Event) -> None:
    tables, mask = plain(event, datum(event), datum(event))
    assert mask == [True, True]
    expected = content(from_events([event, event]))
    found = content(Batch.of(tables))
    assert found == expected


UNUSUAL = [
    {**MESSAGE, "message_id": "x" * 64},
    {**HOP, "inputs": ["a", "bb"]},
    {**CONSENT, "effective_at": "1970-01-01T00:00:05Z"},
    {**CONSENT, "effective_at": "9999-12-31T00:00:00Z"},
    {**HOP, "declassification": {"method": "k", "k": 100_000}},
]


@pytest.mark.parametrize("event", UNUSUAL, ids=lambda e: e["event"])
def test_what_is_unusual_is_left_to_others_and_its_neighbours_are_not(event: Event) -> None:
    usual = next(e for e in GOOD if e["event"] == event["event"])
    tables, mask = plain(event, datum(usual), datum(event), datum(usual))
    assert mask == [True, False, True]
    assert sorted(row for table in tables.values() for row in set(table["row"]))[-1] == 2
    batch = decode(event, [usual, event, usual])
    assert content(batch) == content(from_events([usual, event, usual]))


def decode(event: Event, events: list[Event]) -> Batch:
    values = [ENCODER.encode(e) for e in events]
    decoder = codec.Decoder(LocalIds())
    return decoder.decode(by_name(event["event"]).topic, 0, range(len(values)), values)


@tried(300)
@given(any_events, st.data())
def test_nothing_is_plain_that_the_contract_would_not_have(
    event: Event, data: st.DataObject
) -> None:
    good = datum(event)
    at = data.draw(st.integers(0, len(good) - 1))
    junk = data.draw(st.binary(max_size=3) | st.sampled_from([b"\x01", b"\x04", b"\x80\x00"]))
    changed = good[:at] + junk + good[at + data.draw(st.integers(0, 3)) :]
    tables, mask = plain(event, good, changed)
    if mask[1]:
        kind = by_name(event["event"])
        schema = json.loads(kind.schema)
        reader = Reader(kind, json.dumps(schema))
        found = reader.event_of(changed)
        assert isinstance(found, dict)
        wanted = content(from_events([found]))
        rows = {name: table.filter(table["row"] == 1) for name, table in tables.items()}
        assert content(Batch.of(rows)) == wanted


def blocks(path: Path, events: list[Event], changed: dict[int, Event]) -> None:
    """Very many small blocks, so that they are read side by side."""
    kind = by_name(events[0]["event"])
    datums = [datum_of(kind, e) | changed.get(i, {}) for i, e in enumerate(events)]
    with path.open("wb") as file:
        fastavro.writer(file, PARSED[kind.name], datums, sync_interval=1)


@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_blocks_are_read_side_by_side(tmp_path: Path, event: Event) -> None:
    blocks(tmp_path / "a.avro", [event] * 500, {})
    (batch,) = read_log(tmp_path / "a.avro")
    assert content(batch) == content(from_events([event] * 500))
    main = {e["event"]: name for e, name in zip(GOOD, CHILD_TABLES, strict=True)}
    assert getattr(batch, main[event["event"]])["position"].to_list() == list(range(1, 501))


def test_among_plain_blocks_the_others_keep_their_place(tmp_path: Path) -> None:
    hops = [{**HOP, "hop_id": f"h{i}"} for i in range(300)]
    hops[100]["inputs"] = ["a", "bb"]
    blocks(tmp_path / "a.avro", hops, {200: {"source": ""}, 250: {"run_id": "x" * 100}})
    (batch,) = read_log(tmp_path / "a.avro")
    assert batch.hops["position"].to_list() == [i for i in range(1, 301) if i != 201]
    assert [letter.position for letter in batch.dead_letters] == [201]
    kept = [h | ({"run_id": "x" * 100} if i == 250 else {}) for i, h in enumerate(hops) if i != 200]
    assert content(batch) == content(from_events(kept))


@tried(20)
@given(st.lists(near_events() | any_events, min_size=1, max_size=6))
def test_a_file_of_many_blocks_says_the_same_as_its_events(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event]
) -> None:
    good = [e for e in events if not from_events([e]).dead_letters]
    same = [e for e in good if e["event"] == good[0]["event"]] * 30
    assume(same)
    path = tmp_path_factory.mktemp("log") / "a.avro"
    blocks(path, same, {})
    assert content(Batch.concat(read_log(path))) == content(from_events(same))


def test_datums_of_one_run_follow_each_other() -> None:
    hops = [{**HOP, "hop_id": f"h{i}", "inputs": ["a"] * (i % 3 + 1)} for i in range(9)]
    datums = [datum_bytes(PARSED["RecordsMoved"], datum_of(codec.RECORDS_MOVED, h)) for h in hops]
    counts = np.array([2, 0, 4, 3])
    sizes = np.array([len(b"".join(some)) for some in (datums[:2], [], datums[2:6], datums[6:])])
    ends = np.cumsum(sizes)
    kind = codec.RECORDS_MOVED
    tables, mask = read_plain(kind, kind.fields, datums, ends - sizes, ends, counts)
    assert mask.all()
    assert tables["hops"]["hop_id"].to_list() == [f"h{i}" for i in range(9)]
    assert content(Batch.of(tables)) == content(from_events(hops))

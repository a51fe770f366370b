"""Fast path: what keeps the contract is read at once, and nothing that does not."""

from __future__ import annotations

import json
from pathlib import Path

import fastavro
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lineage import codec
from lineage.codec import Batch, Encoder, LocalIds, by_name, from_events, read_log
from lineage.codec.avro.fast import read_blocks, read_values
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
    REPORT,
    SENDER,
    Event,
    content,
    datum_bytes,
)
from tests.lineage.codec.strategies import near_events
from tests.lineage.codec.strategies import read_events as any_events
from tests.properties import tried

ENCODER = Encoder(LocalIds())


def plain(event: Event, *datums: bytes) -> tuple[Batch, list[bool]]:
    """What is read of the datums, as Kafka values, and of which."""
    kind = by_name(event["event"])
    header = ENCODER.encode(event)[:5]
    values = [header + datum for datum in datums]
    tables, left = read_values(Reader(kind, kind.schema), values, header)
    return Batch.of(tables), [i not in left for i in range(len(datums))]


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
    {**CONSENT, "effective_at": "1970-01-01T00:00:00Z"},
    {**CONSENT, "effective_at": "9999-12-31T00:00:00Z"},
    {**MESSAGE, "message_id": "x" * 256},
    {**HOP, "inputs": ["a", "bb"]},
    {**HOP, "declassification": {"method": "k", "k": -(2**31)}},
]


@pytest.mark.parametrize("event", PLAIN, ids=lambda e: e["event"])
def test_what_keeps_the_contract_is_plain(event: Event) -> None:
    batch, mask = plain(event, datum(event), datum(event))
    assert mask == [True, True]
    assert content(batch) == content(from_events([event, event]))


BROKEN = [
    (MESSAGE, {"parties": [SENDER, SENDER, RECIPIENT]}),
    (MESSAGE, {"parties": [SENDER, {**RECIPIENT, "region": "DEU"}]}),
    (MESSAGE, {"parties": [SENDER, {**RECIPIENT, "region": "de"}]}),
    (MESSAGE, {"message_id": "x" * 257}),
    (MESSAGE, {"sent_at": -1}),
    (MESSAGE, {"sent_at": 2**60}),
    (HOP, {"inputs": []}),
    (HOP, {"inputs": ["a", ""]}),
    (HOP, {"inputs": ["a"] * 1001, "outputs": ["b"] * 1001}),
    (HOP, {"source": ""}),
]


@pytest.mark.parametrize(("event", "wrong"), BROKEN)
def test_what_is_wrong_is_left_to_others_and_its_neighbours_are_not(
    event: Event, wrong: Event
) -> None:
    kind = by_name(event["event"])
    broken = datum_bytes(PARSED[kind.name], datum_of(kind, event) | wrong)
    batch, mask = plain(event, datum(event), broken, datum(event))
    assert mask == [True, False, True]
    assert sorted(row for name in ("messages", "hops") for row in getattr(batch, name)["row"]) == [
        0,
        2,
    ]
    assert content(batch) == content(decode(event, [event, event]))


def test_a_number_is_not_cut_to_32_bits() -> None:
    wider = json.loads(json.dumps(PARSED["RecordsMoved"]).replace('"int"', '"long"'))
    wrong = {"declassification": {"method": "k-anonymity", "k": 2**32 + 50}}
    broken = datum_bytes(wider, datum_of(codec.RECORDS_MOVED, HOP) | wrong)
    assert plain(HOP, broken)[1] == [False]


@pytest.mark.parametrize("name", ["hops", "records"])
@pytest.mark.parametrize("count", [-(2**63), -1, 2**53, 2**63 - 1])
def test_a_count_that_is_none_is_left_to_others(name: str, count: int) -> None:
    good = datum_of(codec.RUN_REPORTED, REPORT)
    broken = datum_bytes(PARSED["RunReported"], good | {name: count})
    most = datum_bytes(PARSED["RunReported"], good | {name: 2**53 - 1})
    assert plain(REPORT, broken, most)[1] == [False, True]


@pytest.mark.parametrize("cut", [b"", b"\x80", b"\x80\x80"])
def test_what_is_no_datum_is_left_to_others_and_its_neighbours_are_not(cut: bytes) -> None:
    batch, mask = plain(HOP, cut, datum(HOP), datum(HOP)[:-1] + cut, datum(HOP) + cut + b"\0")
    assert mask == [False, True, False, False]
    assert batch.hops["row"].to_list() == [1]


def test_values_of_another_schema_are_left_to_others() -> None:
    kind = by_name(HOP["event"])
    good = ENCODER.encode(HOP)
    other = b"\0\0\0\1\0" + good[5:]
    tables, left = read_values(Reader(kind, kind.schema), [good, other, b"", good], good[:5])
    assert left.tolist() == [1, 2]
    assert tables["hops"]["row"].to_list() == [0, 3]


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
    batch, mask = plain(event, good, changed)
    assert mask[0]
    if mask[1]:
        kind = by_name(event["event"])
        found = Reader(kind, kind.schema).event_of(changed)
        assert isinstance(found, dict)
        assert content(batch) == content(from_events([event, found]))
    else:
        assert content(batch) == content(from_events([event]))


def blocks(path: Path, events: list[Event], changed: dict[int, Event]) -> None:
    """Very many small blocks."""
    kind = by_name(events[0]["event"])
    datums = [datum_of(kind, e) | changed.get(i, {}) for i, e in enumerate(events)]
    with path.open("wb") as file:
        fastavro.writer(file, PARSED[kind.name], datums, sync_interval=1)


@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_very_many_blocks_are_read_at_once(tmp_path: Path, event: Event) -> None:
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


def test_blocks_are_read_or_left_as_a_whole() -> None:
    hops = [{**HOP, "hop_id": f"h{i}", "inputs": ["a"] * (i % 3 + 1)} for i in range(9)]
    datums = [datum_bytes(PARSED["RecordsMoved"], datum_of(codec.RECORDS_MOVED, h)) for h in hops]
    some = [datums[:2], [], datums[2:5], datums[5:6], datums[6:]]
    blocks = [(len(one), b"".join(one)) for one in some]
    blocks[2] = (3, blocks[2][1] + b"\0")
    kind = codec.RECORDS_MOVED
    tried = np.array([True, True, True, False, True])
    tables, mask = read_blocks(Reader(kind, kind.schema), blocks, tried)
    assert mask.tolist() == [True, True, False, False, True]
    assert tables["hops"]["row"].to_list() == [0, 1, 6, 7, 8]
    assert content(Batch.of(tables)) == content(from_events([*hops[:2], *hops[6:]]))

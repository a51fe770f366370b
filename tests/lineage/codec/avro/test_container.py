"""Event logs in Avro container files, whole and damaged."""

import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage import codec
from lineage.codec import (
    Batch,
    DeadLetter,
    EncodeError,
    LogError,
    from_events,
    read_events,
    read_log,
)
from lineage.codec.wire import PARSED, datum_of
from tests.lineage.codec.examples import (
    FLAG,
    GOOD,
    HOP,
    MESSAGE,
    Event,
    content,
    long,
    reasons,
    repacked,
)
from tests.lineage.codec.strategies import read_events as any_read_events
from tests.properties import tried

MESSAGES = [{**MESSAGE, "message_id": f"m{i:06d}"} for i in range(2000)]


def read(path: Path, batch_events: int = 50_000) -> Batch:
    return Batch.concat(read_log(path, batch_events))


@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_what_is_written_is_read(tmp_path: Path, event: Event) -> None:
    path = tmp_path / "a.avro"
    codec.write_container(path, codec.by_name(event["event"]), [event, event])
    assert content(read(path)) == content(from_events([event, event]))


def test_any_avro_library_can_read_it(tmp_path: Path) -> None:
    codec.write_container(tmp_path / "a.avro", codec.RECORDS_MOVED, [HOP])
    with (tmp_path / "a.avro").open("rb") as file:
        (record,) = list[Any](fastavro.reader(file))
    assert record["moved_at"].isoformat() == "2024-09-18T00:00:01.500000+00:00"


def test_the_same_events_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.avro", "b.avro"):
        codec.write_container(tmp_path / name, codec.MESSAGE_SENT, MESSAGES)
    assert (tmp_path / "a.avro").read_bytes() == (tmp_path / "b.avro").read_bytes()


def test_an_event_that_breaks_the_contract_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    codec.write_container(path, codec.MESSAGE_SENT, [MESSAGE])
    before = path.read_bytes()
    with pytest.raises(EncodeError, match="dataset must be"):
        codec.write_container(path, codec.MESSAGE_SENT, [MESSAGE, {**MESSAGE, "dataset": ""}])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.avro"]


def write(path: Path, events: list[Event], compression: str = "null", schema: Any = None) -> None:  # noqa: ANN401
    kind = codec.by_name(events[0]["event"])
    schema = fastavro.parse_schema(schema or json.loads(kind.schema))
    with path.open("wb") as file:
        fastavro.writer(file, schema, [datum_of(kind, e) for e in events], codec=compression)


@cache
def packed_messages(compression: str) -> bytes:
    file = io.BytesIO()
    datums = [datum_of(codec.MESSAGE_SENT, event) for event in MESSAGES]
    fastavro.writer(file, PARSED["MessageSent"], datums, codec=compression)
    return file.getvalue()


def write_messages(path: Path, compression: str = "null") -> None:
    path.write_bytes(packed_messages(compression))


@pytest.mark.parametrize("compression", ["null", "deflate", "bzip2", "xz"])
def test_blocks_may_be_packed(tmp_path: Path, compression: str) -> None:
    write_messages(tmp_path / "a.avro", compression)
    batch = read(tmp_path / "a.avro")
    assert content(batch) == content(from_events(MESSAGES))
    assert batch.messages["position"].to_list() == list(range(1, 2001))


@pytest.mark.parametrize("compression", [b"snappy", b"zstandard"])
def test_blocks_may_be_packed_in_newer_ways(tmp_path: Path, compression: bytes) -> None:
    write_messages(tmp_path / "a.avro")
    data = repacked((tmp_path / "a.avro").read_bytes(), compression)
    (tmp_path / "a.avro").write_bytes(data)
    assert content(read(tmp_path / "a.avro")) == content(from_events(MESSAGES))
    middle = len(data) // 2
    (tmp_path / "a.avro").write_bytes(data[:middle] + b"\xff" * 8 + data[middle + 8 :])
    assert 0 < read(tmp_path / "a.avro").events < 2000


@tried(30)
@given(st.lists(any_read_events, min_size=1, max_size=5))
def test_a_file_says_the_same_as_its_events(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event]
) -> None:
    same = [e for e in events if e["event"] == events[0]["event"]]
    path = tmp_path_factory.mktemp("log") / "a.avro"
    write(path, same)
    assert content(read(path)) == content(from_events(same))
    found = [event for _, event in read_events(path)]  # type: ignore[misc]  # no dead letters
    assert content(from_events(found)) == content(from_events(same))


def test_batches_are_cut_between_blocks(tmp_path: Path) -> None:
    write_messages(tmp_path / "a.avro")
    batches = list(read_log(tmp_path / "a.avro", batch_events=500))
    assert len(batches) > 3
    assert all(batch.events <= 500 for batch in batches)
    assert [p for b in batches for p in b.messages["position"]] == list(range(1, 2001))


def test_a_damaged_record_costs_the_rest_of_its_block_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_messages(path)
    start, end, count = _blocks(path)[1]
    data = bytearray(path.read_bytes())
    first = _blocks(path)[0][2]
    third = data.index(b"m%06d" % (first + 2), start)
    assert third < end
    data[third - 1 : third + 3] = b"\xff\xff\xff\xff"  # its first string is endless
    path.write_bytes(data)
    batch = read(path)
    assert batch.events == 2000 - (count - 2)
    assert reasons(batch) == {
        first + 3: f"the block is damaged from here on: {count - 2} records are lost"
    }
    assert batch.messages["position"].to_list() == [
        i for i in range(1, 2001) if not first + 2 < i <= first + count
    ]
    events = [e for e in read_events(path) if not isinstance(e, codec.DeadLetter)]
    assert len(events) == batch.events


def _blocks(path: Path) -> list[tuple[int, int, int]]:
    with path.open("rb") as file:
        return [(b.offset, b.offset + b.size, b.num_records) for b in fastavro.block_reader(file)]


def test_a_damaged_marker_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write_messages(path)
    _, end, _ = _blocks(path)[1]
    data = bytearray(path.read_bytes())
    data[end - 10 : end] = b"0123456789"
    path.write_bytes(data)
    assert content(read(path)) == content(from_events(MESSAGES))


@pytest.mark.parametrize("frame", [b"\x01", b"\xff" * 10, b"\x02\x01", b"\x02\xfe\xff\x7f"])
def test_a_damaged_frame_costs_its_block_and_no_more(tmp_path: Path, frame: bytes) -> None:
    path = tmp_path / "a.avro"
    write_messages(path)
    (_, _, first), (start, _, second), *_ = _blocks(path)
    data = bytearray(path.read_bytes())
    data[start : start + len(frame)] = frame
    path.write_bytes(data)
    batch = read(path)
    assert batch.events == 2000 - second
    assert reasons(batch) == {first + 1: "the block's frame is damaged: at least 1 record is lost"}


@pytest.mark.parametrize("lost", [1, 16, 17, 500])
def test_of_a_file_that_ends_early_the_blocks_before_are_kept(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a.avro"
    write_messages(path)
    *_, last = _blocks(path)
    path.write_bytes(path.read_bytes()[:-lost])
    batch = read(path)
    assert batch.events == 2000 - last[2]
    assert reasons(batch) == {
        2000
        - last[2]
        + 1: f"the file ends in the middle of a block: at least {last[2]} records are lost"
    }


@pytest.mark.parametrize("zeros", [1, 5000, 3 << 20])
def test_zeros_behind_the_last_block_are_named(tmp_path: Path, zeros: int) -> None:
    path = tmp_path / "a.avro"
    write_messages(path)
    path.write_bytes(path.read_bytes() + b"\0" * zeros)
    batch = read(path)
    assert batch.events == 2000
    assert reasons(batch) == {
        2001: f"the file ends in zero bytes, {zeros:,} of them, which are no block; if it was not "
        "written to its end, records are lost"
    }


def test_a_file_of_which_nothing_is_whole_is_dead_letters(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    write(path, [MESSAGE])
    path.write_bytes(path.read_bytes()[:-20])
    assert (read(path).events, list(reasons(read(path)))) == (0, [1])


def test_a_record_that_breaks_the_contract_is_lost_alone(tmp_path: Path) -> None:
    schema = fastavro.parse_schema(json.loads(codec.MESSAGE_SENT.schema))
    datums = [datum_of(codec.MESSAGE_SENT, m) for m in MESSAGES]
    datums[700]["dataset"] = ""
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, schema, datums)
    batch = read(tmp_path / "a.avro")
    assert batch.events == 1999
    assert reasons(batch) == {701: "dataset must be a non-empty string of at most 256 bytes"}
    # The bytes are in the file, and only who sends them on needs them.
    (letter,) = (item for item in read_events(tmp_path / "a.avro") if isinstance(item, DeadLetter))
    assert b"m000700" in (letter.value or b"")
    assert batch.dead_letters == (replace(letter, value=None),)


def test_a_file_of_another_version_is_read_as_today(tmp_path: Path) -> None:
    schema = json.loads(codec.RECORDS_MOVED.schema)
    schema["fields"] = [f for f in schema["fields"] if f["name"] != "declassification"]
    schema["fields"].append({"name": "cost", "type": "double", "default": 0.0})
    write(tmp_path / "a.avro", [HOP, HOP], schema=schema)
    assert content(read(tmp_path / "a.avro")) == content(
        from_events([{**HOP, "declassification": None}] * 2)
    )


def header(schema: object, compression: str = "null") -> bytes:
    meta = {"avro.schema": json.dumps(schema).encode(), "avro.codec": compression.encode()}
    out = b"Obj\x01" + long(len(meta))
    for key, value in meta.items():
        out += long(len(key)) + key.encode() + long(len(value)) + value
    return out + long(0) + b"S" * 16


MESSAGE_SCHEMA = json.loads(codec.MESSAGE_SENT.schema)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Obj\x01", "has no whole Avro header with a record schema"),
        (header(MESSAGE_SCHEMA)[:-1], "has no whole Avro header"),
        (b"Obj\x01" + b"\xff" * 30, "has no whole Avro header"),
        (header("long"), "has no whole Avro header with a record schema"),
        (header(json.loads(codec.FLAG_RAISED.schema)), "holds FlagRaised records"),
        (header({"type": "record", "name": "Other", "fields": []}), "holds Other records"),
        (header({**MESSAGE_SCHEMA, "fields": []}), "it is not compatible with MessageSent"),
        (header({**MESSAGE_SCHEMA, "fields": 5}), "it is not an Avro schema"),
        (
            header(MESSAGE_SCHEMA, "lz77"),
            "is packed with codec lz77; known are null, deflate",
        ),
    ],
)
def test_a_file_that_is_no_event_log_is_said_in_one_sentence(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "a.avro").write_bytes(data)
    with pytest.raises(LogError) as error:
        read_log(tmp_path / "a.avro")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_without_records_is_no_events(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(header(MESSAGE_SCHEMA))
    assert list(read_log(tmp_path / "a.avro")) == []


def test_flags_can_be_written_but_are_no_event_log(tmp_path: Path) -> None:
    codec.write_container(tmp_path / "a.avro", codec.FLAG_RAISED, [FLAG])
    with pytest.raises(LogError, match="holds FlagRaised records"):
        read_log(tmp_path / "a.avro")


@tried(100)
@given(st.data())
def test_no_damage_whatever_does_harm(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.avro"
    events = [{**HOP, "hop_id": f"h{i}"} for i in range(30)]
    schema = fastavro.parse_schema(json.loads(codec.RECORDS_MOVED.schema))
    with path.open("wb") as file:
        datums = [datum_of(codec.RECORDS_MOVED, e) for e in events]
        fastavro.writer(file, schema, datums, sync_interval=300)
    whole = path.read_bytes()
    first = _blocks(path)[0][0]
    at = data.draw(st.integers(first, len(whole)))
    junk = data.draw(st.binary(max_size=6) | st.sampled_from([b"\xff" * 9 + b"\x01", b"\x01"]))
    path.write_bytes(whole[:at] + junk + whole[at + data.draw(st.integers(0, 6)) :])
    batch = read(path)
    assert batch.events >= 20 or batch.dead_letters
    ids = set(batch.hops["hop_id"])
    assert len(ids.intersection(e["hop_id"] for e in events)) >= 15

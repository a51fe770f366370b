"""Instants of writers that count in another unit, and logical types that mean something else."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.codec import (
    Batch,
    DeadLetter,
    Decoder,
    LocalIds,
    LogError,
    by_name,
    read_events,
    read_log,
)
from lineage.codec.avro.logical_types import UnreadableSchemaError
from lineage.codec.avro.reader import Reader
from lineage.codec.batch import CHILD_TABLES, MAIN_TABLE
from lineage.codec.contract.instants import micros_of
from tests.lineage.codec.examples import (
    CONSENT,
    DECLARATION,
    GOOD,
    HOP,
    POLICY,
    Event,
    long,
    reasons,
)
from tests.properties import tried

EPOCH = datetime(1970, 1, 1)
LAST = 253_402_300_799_999_999  # the last microsecond of 9999
UNITS = ("timestamp-millis", "timestamp-micros", "timestamp-nanos")
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}


def schema_of(event: Event, **types: Any) -> Any:  # noqa: ANN401 - a parsed schema
    """The present schema with other types for some fields."""
    schema = json.loads(by_name(event["event"]).schema)
    for field in schema["fields"]:
        field["type"] = types.get(field["name"], field["type"])
    return schema


def annotated(event: Event, logical: str) -> Any:  # noqa: ANN401 - a parsed schema
    """The present schema with this logical type on all instants."""
    text = by_name(event["event"]).schema.replace("timestamp-micros", logical)
    return json.loads(text)


def datum_of(event: Event, count: int) -> Event:
    """The datum of an event all of whose instants are this number."""
    return {n: count if n.endswith("_at") else v for n, v in event.items() if n != "event"}


def plain(schema: Any) -> Any:  # noqa: ANN401 - a parsed schema
    """The schema without logical types: what is written with it has the same bytes."""
    if isinstance(schema, list):
        return [plain(branch) for branch in schema]
    if isinstance(schema, dict):
        return {k: plain(v) for k, v in schema.items() if k != "logicalType"}
    return schema


class Registered:
    """A registry with one schema, with id 50."""

    def __init__(self, schema: Any) -> None:  # noqa: ANN401 - a parsed schema
        self.text = json.dumps(schema)

    def schema_of(self, schema_id: int) -> str:
        return self.text

    def id_of(self, event: Any) -> int:  # noqa: ANN401 - an event type
        return LocalIds().id_of(event)


def values_of(schema: Any, datums: list[Event]) -> list[bytes]:  # noqa: ANN401 - a parsed schema
    parsed = fastavro.parse_schema(plain(schema))
    found = []
    for datum in datums:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, datum)
        found.append(b"\0\0\0\0\x32" + out.getvalue())
    return found


def decoded(event: Event, schema: Any, datums: list[Event]) -> Batch:  # noqa: ANN401 - a parsed schema
    values = values_of(schema, datums)
    topic = by_name(event["event"]).topic
    return Decoder(Registered(schema)).decode(topic, 0, range(1, len(values) + 1), values)


def write(path: Path, schema: Any, datums: list[Event], interval: int = 16_000) -> Path:  # noqa: ANN401
    """A container file whose header has the schema as it is, whatever is in it."""
    with path.open("wb") as file:
        fastavro.writer(
            file, plain(schema), datums, sync_interval=interval, metadata={}, codec="null"
        )
    data = path.read_bytes()
    (start, *_) = [b.offset for b in fastavro.block_reader(path.open("rb"))] or [len(data)]
    sync = data[start - 16 : start]
    path.write_bytes(header(schema, sync) + data[start:])
    return path


def header(schema: Any, sync: bytes) -> bytes:  # noqa: ANN401 - a parsed schema
    text = json.dumps(schema).encode()
    key = b"avro.schema"
    return b"Obj\x01" + long(1) + long(len(key)) + key + long(len(text)) + text + long(0) + sync


def instants(batch: Batch, event: Event) -> dict[int, list[int | None]]:
    """By position: the microseconds of each instant of the good events."""
    table = getattr(batch, MAIN_TABLE[event["event"]])
    names = [name for name in event if name.endswith("_at")]
    return {
        row["position"]: [
            None if row[name] is None else (row[name] - EPOCH) // timedelta(microseconds=1)
            for name in names
        ]
        for row in table.iter_rows(named=True)
    }


def expected(count: int, logical: str) -> int | None:
    """The microseconds of a number, in plain words; None where it is a dead letter."""
    if logical == "timestamp-nanos":
        whole, rest = divmod(count, 1000)
        micros = None if rest else whole
    else:
        micros = count * (1000 if logical == "timestamp-millis" else 1)
    return micros if micros is not None and 0 <= micros <= LAST else None


def around(*numbers: int) -> st.SearchStrategy[int]:
    return st.sampled_from([n + d for n in numbers for d in (-1000, -1, 0, 1, 999, 1000)])


counts = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(0, 2**41).map(lambda n: n * 1000)
    | around(0, LAST, LAST // 1000, *(2 ** (7 * n - 1) for n in range(1, 9)), 2**62)
    | st.sampled_from([-(2**63), 2**63 - 1])
    | st.datetimes(EPOCH, datetime(9999, 12, 31)).map(
        lambda at: (at - EPOCH) // timedelta(milliseconds=1)
    )
)
events = st.sampled_from(GOOD)


@tried(150)
@given(events, st.sampled_from(UNITS), st.lists(counts, min_size=1, max_size=8))
def test_kafka_values_mean_the_instants_that_their_writer_meant(
    event: Event, logical: str, numbers: list[int]
) -> None:
    numbers = [n for n in numbers if -(2**63) <= n < 2**63]
    batch = decoded(event, annotated(event, logical), [datum_of(event, n) for n in numbers])
    right = {i: expected(n, logical) for i, n in enumerate(numbers, start=1)}
    found = instants(batch, event)
    assert {i: micros[0] for i, micros in found.items()} == {
        i: micros for i, micros in right.items() if micros is not None
    }
    assert all(len(set(micros)) == 1 for micros in found.values())  # disclosed_at, too
    assert list(reasons(batch)) == [i for i, micros in right.items() if micros is None]


@tried(60)
@given(
    events,
    st.sampled_from(UNITS),
    st.lists(counts, min_size=1, max_size=8),
    st.sampled_from([1, 16_000]),
)
def test_files_mean_the_instants_that_their_writer_meant(
    tmp_path_factory: pytest.TempPathFactory,
    event: Event,
    logical: str,
    numbers: list[int],
    interval: int,
) -> None:
    # Often enough that small blocks are read side by side.
    numbers = [n for n in numbers if -(2**63) <= n < 2**63] * 40
    path = tmp_path_factory.mktemp("log") / "a.avro"
    schema = annotated(event, logical)
    write(path, schema, [datum_of(event, n) for n in numbers], interval)
    batch = Batch.concat(read_log(path))
    right = {i: expected(n, logical) for i, n in enumerate(numbers, start=1)}
    assert {i: micros[0] for i, micros in instants(batch, event).items()} == {
        i: micros for i, micros in right.items() if micros is not None
    }
    one_by_one = list(read_events(path))
    letters = [item for item in one_by_one if isinstance(item, DeadLetter)]
    assert {d.position: d.reason for d in letters} == reasons(batch)
    name = next(n for n in event if n.endswith("_at"))
    found = [micros_of(str(item[1][name])) for item in one_by_one if isinstance(item, tuple)]
    assert found == [micros for micros in right.values() if micros is not None]


@pytest.mark.parametrize("logical", UNITS)
@pytest.mark.parametrize("event", GOOD, ids=lambda e: e["event"])
def test_usual_writers_are_read_on_the_fast_path(event: Event, logical: str) -> None:
    kind = by_name(event["event"])
    text = kind.schema.replace("timestamp-micros", logical)
    text = text.replace('"string"', '{"type": "string", "avro.java.string": "String"}')
    present = Reader(kind, text).present
    assert present is not None
    unit = logical.removeprefix("timestamp-")
    assert {field.unit for field in present if field.kind == "instant"} == {unit}


def test_also_where_a_schema_is_read_datum_by_datum() -> None:
    schema = schema_of(HOP, moved_at=MILLIS)
    schema["fields"].append({"name": "more", "type": {"type": "map", "values": "long"}})
    datum = {**datum_of(HOP, 1_726_617_600_123), "more": {"a": 1}}
    batch = decoded(HOP, schema, [datum, {**datum, "moved_at": -1}])
    assert instants(batch, HOP) == {1: [1_726_617_600_123_000]}
    assert "from 1970 to 9999" in reasons(batch)[2]


def test_also_where_a_schema_is_read_vectorised_with_more_fields() -> None:
    schema = schema_of(HOP, moved_at={"type": "long", "logicalType": "timestamp-nanos"})
    schema["fields"].append({"name": "more", "type": "string"})
    datum = {**datum_of(HOP, 1_726_617_600_123_456_000), "more": ""}
    batch = decoded(HOP, schema, [datum, {**datum, "moved_at": 1_726_617_600_123_456_001}])
    assert instants(batch, HOP) == {1: [1_726_617_600_123_456]}
    assert reasons(batch)[2].startswith("moved_at must be a whole number of microseconds")


def test_each_instant_has_its_own_unit_and_null_stays_null() -> None:
    schema = schema_of(POLICY, disclosed_at=["null", MILLIS])
    datum = {**datum_of(POLICY, 5_000_000), "disclosed_at": 7_000}
    batch = decoded(POLICY, schema, [datum, {**datum, "disclosed_at": None}])
    assert instants(batch, POLICY) == {1: [5_000_000, 7_000_000], 2: [5_000_000, None]}


def test_a_long_without_a_logical_type_is_microseconds() -> None:
    for kind in ("long", {"type": "long"}, {"type": "long", "doc": "when"}):
        batch = decoded(HOP, schema_of(HOP, moved_at=kind), [datum_of(HOP, 1_726_617_600_000_000)])
        assert instants(batch, HOP) == {1: [1_726_617_600_000_000]}


REFUSED: dict[str, tuple[Event, Any, str]] = {
    name: (HOP, schema_of(HOP, moved_at=kind), reason)
    for name, kind, reason in (
        *(
            (name, {"type": "long", "logicalType": name}, f"logical type {name} on a long")
            for name in (
                "local-timestamp-millis",
                "local-timestamp-micros",
                "local-timestamp-nanos",
                "time-micros",
                "timestamp-seconds",
                "TIMESTAMP-MILLIS",
            )
        ),
        ("date", {"type": "int", "logicalType": "date"}, "logical type date on an int"),
        ("time-millis", {"type": "int", "logicalType": "time-millis"}, "time-millis on an int"),
        ("millis on int", {"type": "int", "logicalType": "timestamp-millis"}, "on an int"),
        ("no name", {"type": "long", "logicalType": 5}, "that is no name on a long"),
        (
            "connect",
            {"type": "long", "connect.name": "io.debezium.time.Timestamp"},
            "moved_at is io.debezium.time.Timestamp to Kafka Connect",
        ),
        ("two units", ["int", MILLIS], "moved_at counts in micros or millis"),
    )
}
REFUSED["nullable"] = (
    POLICY,
    schema_of(POLICY, disclosed_at=["null", {"type": "long", "logicalType": "time-micros"}]),
    "disclosed_at has the logical type time-micros on a long",
)
REFUSED["decimal"] = (
    HOP,
    schema_of(HOP, job={"type": "bytes", "logicalType": "decimal", "precision": 4}),
    "job has the logical type decimal on bytes",
)
REFUSED["decimal in an array"] = (
    HOP,
    schema_of(HOP, inputs={"type": "array", "items": {"type": "bytes", "logicalType": "decimal"}}),
    "inputs has the logical type decimal on bytes",
)
REFUSED["decimal that may be null"] = (
    DECLARATION,
    schema_of(DECLARATION, recipient=["null", {"type": "bytes", "logicalType": "big-decimal"}]),
    "recipient has the logical type big-decimal on bytes",
)
_dated = schema_of(HOP)
_dated["fields"][8]["type"][1]["fields"][1]["type"] = {"type": "int", "logicalType": "date"}
REFUSED["a date for k"] = (HOP, _dated, "declassification.k has the logical type date on an int")
for _kind in ("timestamp-millis", "time-micros"):
    _beside = schema_of(HOP, moved_at="long")
    _beside["fields"][-1]["logicalType"] = _kind
    REFUSED[f"{_kind} beside the type"] = (HOP, _beside, "beside its type, where Avro ignores it")
_beside = schema_of(POLICY, disclosed_at=["null", "long"])
_beside["fields"][2]["logicalType"] = "timestamp-nanos"
REFUSED["beside a union"] = (POLICY, _beside, "disclosed_at has the logical type timestamp-nanos")


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_mean_another_instant_or_value_is_refused_by_name(
    case: str, tmp_path: Path
) -> None:
    event, schema, reason = REFUSED[case]
    kind = by_name(event["event"])
    value = b"\0\0\0\0\x32abc"
    letters = reasons(Decoder(Registered(schema)).decode(kind.topic, 0, [1, 2], [value, value]))
    assert list(letters) == [1, 2]
    assert all(reason in letter for letter in letters.values())
    path = tmp_path / "a.avro"
    path.write_bytes(header(schema, b"S" * 16))
    with pytest.raises(LogError, match="can't be read by its schema") as error:
        read_log(path)
    assert reason in str(error.value)
    assert "timestamp-" in str(error.value) or "must be" in str(error.value)


def test_a_logical_type_that_changes_nothing_is_fine() -> None:
    uuid = {"type": "string", "logicalType": "uuid"}
    schema = schema_of(HOP, hop_id=uuid, job={"type": "string", "logicalType": "colour"})
    schema["fields"].append({"name": "day", "type": {"type": "int", "logicalType": "date"}})
    # Beside the type, but what the type means anyway.
    schema["fields"][9]["type"], schema["fields"][9]["logicalType"] = "long", "timestamp-micros"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = decoded(HOP, schema, [{**datum_of(HOP, 5_000_000), "day": 1}])
    assert instants(batch, HOP) == {1: [5_000_000]}


def test_no_library_warns_of_a_logical_type() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for logical in (*UNITS, "local-timestamp-micros", "colour"):
            decoded(CONSENT, annotated(CONSENT, logical), [datum_of(CONSENT, 5_000_000)])


def test_every_table_is_tried() -> None:
    assert len(GOOD) == len(CHILD_TABLES)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("message_id", lambda uuid: uuid),
        ("message_id", lambda uuid: ["null", uuid]),
    ],
)
def test_a_uuid_of_fixed_bytes_is_refused_by_name(
    field: str, change: Callable[[object], object]
) -> None:
    schema = json.loads(by_name("MessageSent").schema)
    uuid = {"type": "fixed", "size": 16, "name": "Uuid", "logicalType": "uuid"}
    for one in schema["fields"]:
        if one["name"] == field:
            one["type"] = change(uuid)
    with pytest.raises(UnreadableSchemaError, match=f"{field} is of 16 fixed bytes, a uuid, which"):
        Reader(by_name("MessageSent"), json.dumps(schema))


def test_hops_of_fixed_bytes_are_refused_by_name() -> None:
    schema = json.loads(by_name("RecordsMoved").schema)
    for one in schema["fields"]:
        if one["name"] == "inputs":
            one["type"]["items"] = {"type": "fixed", "size": 4, "name": "Id"}
    with pytest.raises(UnreadableSchemaError, match="inputs is of 4 fixed bytes which Avro reads"):
        Reader(by_name("RecordsMoved"), json.dumps(schema))

"""Kafka values that were written with another version of a schema than that of today."""

import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from lineage.codec import (
    Batch,
    Decoder,
    Encoder,
    LocalIds,
    LogError,
    by_name,
    from_events,
    read_log,
)
from tests.lineage.codec.examples import (
    CONSENT,
    DECLARATION,
    HOP,
    MESSAGE,
    POLICY,
    RECIPIENT,
    SENDER,
    Event,
    content,
    datum_bytes,
    reasons,
    without,
)

IDS = LocalIds()


def topic_of(event: Event) -> str:
    return by_name(event["event"]).topic


class Versions:
    """A registry with the packaged ids and one more schema, with id 50."""

    def __init__(self, schema: Any) -> None:  # noqa: ANN401 - a parsed schema
        self.schema = schema

    def schema_of(self, schema_id: int) -> str:
        return json.dumps(self.schema) if schema_id == 50 else IDS.schema_of(schema_id)

    def id_of(self, event: Any) -> int:  # noqa: ANN401 - an event type
        return IDS.id_of(event)

    def decode(self, event: Event, *datums: Event) -> Batch:
        values = [b"\0\0\0\0\x32" + datum_bytes(self.schema, datum) for datum in datums]
        values.append(Encoder(IDS).encode(event))
        return Decoder(self).decode(topic_of(event), 0, range(len(values)), values)


def schema_of(event: Event) -> Any:  # noqa: ANN401 - a parsed schema
    return json.loads(by_name(event["event"]).schema)


def datum_of(event: Event) -> Event:
    return {n: 5_000_000 if n.endswith("_at") else v for n, v in event.items() if n != "event"}


def test_fields_of_another_version_are_ignored_and_missing_ones_have_their_default() -> None:
    schema = schema_of(DECLARATION)
    schema["fields"] = [f for f in schema["fields"] if f["name"] != "recipient"]
    schema["fields"].insert(0, {"name": "owner", "type": ["null", "string"], "default": None})
    schema["fields"].insert(3, {"name": "sizes", "type": {"type": "array", "items": "long"}})
    datum = {**without(datum_of(DECLARATION), "recipient"), "owner": "ann", "sizes": [1, 2]}
    batch = Versions(schema).decode(DECLARATION, datum, datum)
    assert [row[5] for row in content(batch)["declarations"]] == [None, None, "acme"]
    assert batch.declarations["position"].to_list() == [0, 1, 2]


def test_a_field_of_bytes_may_have_any_and_one_of_text_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(*_: object) -> None:
        raise AssertionError("was read one by one")

    monkeypatch.setattr("lineage.codec.avro.reader.Reader._one", slow)
    schema = schema_of(DECLARATION)
    schema["fields"] += [{"name": "key", "type": "bytes"}, {"name": "note", "type": "string"}]
    datum = {**datum_of(DECLARATION), "key": b"\xff\x00", "note": "kept"}
    other = json.loads(
        json.dumps(schema).replace('"note", "type": "string"', '"note", "type": "bytes"')
    )
    half = datum_bytes(other, datum | {"note": b"\xff"})
    values = [b"\0\0\0\0\x32" + datum_bytes(schema, datum), b"\0\0\0\0\x32" + half]
    batch = Decoder(Versions(schema)).decode(topic_of(DECLARATION), 0, [0, 1], values)
    assert batch.declarations["position"].to_list() == [0]
    assert "is not a whole DatasetDeclared" in reasons(batch)[1]


@pytest.mark.parametrize("kind", [{"type": "map", "values": "long"}, ["int", "string", "null"]])
def test_also_where_they_must_be_read_one_by_one(kind: Any) -> None:  # noqa: ANN401 - a schema
    schema = schema_of(MESSAGE)
    schema["fields"].append({"name": "more", "type": kind})
    more: object = {"a": 1} if isinstance(kind, dict) else "x"
    good = {**datum_of(MESSAGE), "more": more}
    batch = Versions(schema).decode(MESSAGE, good, {**good, "dataset": ""}, good)
    assert batch.messages["position"].to_list() == [0, 2, 3]
    assert list(reasons(batch)) == [1]
    assert content(batch)["parties"] == content(from_events([MESSAGE] * 3))["parties"]


def test_symbols_are_known_by_name_and_numbers_may_be_narrower() -> None:
    schema = schema_of(HOP)
    operation = next(f for f in schema["fields"] if f["name"] == "operation")["type"]
    operation["symbols"].reverse()
    next(f for f in schema["fields"] if f["name"] == "moved_at")["type"] = "int"
    batch = Versions(schema).decode(HOP, datum_of(HOP))
    assert [row[4] for row in content(batch)["hops"]] == ["COPY", "COPY"]
    assert content(batch)["hops"][0][-1].isoformat() == "1970-01-01T00:00:05"


def test_a_name_that_refers_to_another_part_is_understood() -> None:
    schema = schema_of(POLICY)
    day = {"type": "record", "name": "Day", "fields": [{"name": "n", "type": "int"}]}
    schema["fields"] += [{"name": "a", "type": day}, {"name": "b", "type": "Day"}]
    datum = {**datum_of(POLICY), "a": {"n": 1}, "b": {"n": 2}}
    assert Versions(schema).decode(POLICY, datum, datum).events == 3


def test_a_name_that_two_parts_share_is_understood() -> None:
    schema = schema_of(POLICY)
    day = {"type": "record", "name": "Day", "fields": [{"name": "n", "type": "int"}]}
    other = {**day, "namespace": "elsewhere", "fields": [{"name": "s", "type": "string"}]}
    schema["fields"] += [
        {"name": "a", "type": {**day, "namespace": "here"}},
        {"name": "b", "type": other},
        {"name": "c", "type": "here.Day"},
    ]
    datum = {**datum_of(POLICY), "a": {"n": 1}, "b": {"s": "x"}, "c": {"n": 2}}
    assert Versions(schema).decode(POLICY, datum, datum).events == 3


def test_parties_with_more_tags_are_understood() -> None:
    schema = schema_of(MESSAGE)
    party = next(f for f in schema["fields"] if f["name"] == "parties")["type"]["items"]
    party["fields"].insert(1, {"name": "age", "type": "int", "default": 0})
    batch = Versions(schema).decode(MESSAGE, datum_of(MESSAGE) | {
        "parties": [{**SENDER, "age": 5}, {**RECIPIENT, "age": 6}]
    })  # fmt: skip
    assert content(batch)["parties"] == content(from_events([MESSAGE] * 2))["parties"]


def incompatible() -> list[Any]:
    other_type = schema_of(CONSENT)
    other_type["fields"][3]["type"] = "string"
    missing = schema_of(CONSENT)
    del missing["fields"][0]
    return [other_type, missing]


@pytest.mark.parametrize("schema", incompatible(), ids=["type", "missing field"])
def test_a_version_that_is_not_compatible_is_dead_letters(schema: Any) -> None:  # noqa: ANN401
    value = b"\0\0\0\0\x32abc"
    batch = Decoder(Versions(schema)).decode(topic_of(CONSENT), 0, [7], [value])
    assert "it is not compatible with ConsentChanged as read here" in reasons(batch)[7]


@pytest.mark.parametrize(
    "schema",
    [
        "long",
        {"type": "record"},
        5,
        {"type": "array", "items": "int"},
        {**schema_of(CONSENT), "fields": [{"name": "a-b", "type": "int"}]},
        {**schema_of(CONSENT), "fields": [{"name": "a", "type": "Nothing"}]},
    ],
)
def test_a_registered_schema_of_something_else_is_dead_letters(schema: Any) -> None:  # noqa: ANN401
    batch = Decoder(Versions(schema)).decode(topic_of(CONSENT), 0, [7], [b"\0\0\0\0\x32abc"])
    assert reasons(batch)[7].startswith("the value has schema id 50: it is ")


@pytest.mark.parametrize("slowly", [False, True])
def test_a_symbol_that_is_not_known_costs_its_event_and_no_more(slowly: bool) -> None:
    schema = schema_of(MESSAGE)
    tier = schema["fields"][2]["type"]["items"]["fields"][2]["type"]
    tier["symbols"].insert(0, "PREMIUM_COMPANY")
    more = {}
    if slowly:
        schema["fields"].append({"name": "more", "type": {"type": "map", "values": "int"}})
        more = {"more": {"a": 1}}
    good = datum_of(MESSAGE) | more
    new = good | {"parties": [SENDER, {**RECIPIENT, "tier": "PREMIUM_COMPANY"}]}
    batch = Versions(schema).decode(MESSAGE, good, new, good)
    assert batch.messages["position"].to_list() == [0, 2, 3]
    assert content(batch)["parties"] == content(from_events([MESSAGE] * 3))["parties"]
    assert reasons(batch)[1].startswith("parties: tier must be one of FREE, PREMIUM_CAREER")


@pytest.mark.parametrize("null_first", [False, True])
def test_a_field_that_the_writer_may_leave_null_costs_only_the_events_in_which_it_is(
    null_first: bool,
) -> None:
    schema = schema_of(HOP)
    for field in schema["fields"]:
        if not isinstance(field["type"], list):
            field["type"] = ["null", field["type"]] if null_first else [field["type"], "null"]
    good = datum_of(HOP)
    bad = [{**good, name: None} for name in good if name != "declassification"]
    batch = Versions(schema).decode(HOP, good, *bad, good)
    assert batch.hops["position"].to_list() == [0, len(bad) + 1, len(bad) + 2]
    assert content(batch)["hop_inputs"] == content(from_events([HOP] * 3))["hop_inputs"]
    names = [n for n in good if n != "declassification"]
    assert [reasons(batch)[i + 1].split(" ")[0] for i in range(len(bad))] == names


def sparks(schema: Any, name: str = "topLevelRecord") -> Any:  # noqa: ANN401 - parsed schemas
    """The schema that Spark would write a table of these columns with."""
    if isinstance(schema, list):
        return sparks(schema[1], name)
    if isinstance(schema, str) or schema.get("logicalType"):
        return [schema, "null"]
    if schema["type"] == "enum":
        return ["string", "null"]
    if schema["type"] == "array":
        return [{"type": "array", "items": sparks(schema["items"], name)}, "null"]
    fields = [
        {"name": f["name"], "type": sparks(f["type"], f"{name}.{f['name']}")}
        for f in schema["fields"]
    ]
    return [{"type": "record", "name": name, "fields": fields}, "null"]


@pytest.mark.parametrize("event", [MESSAGE, HOP, CONSENT, DECLARATION, POLICY])
def test_what_spark_writes_of_itself_is_read(event: Event, tmp_path: Path) -> None:
    schema = sparks(schema_of(event))[0]
    bad = {**datum_of(event), next(n for n in event if n.endswith("_id")): None}
    batch = Versions(schema).decode(event, datum_of(event), bad)
    assert list(reasons(batch)) == [1]
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), [datum_of(event), bad] * 2)
    log = Batch.concat(read_log(tmp_path / "a.avro"))
    assert list(reasons(log)) == [2, 4]
    at = {n: "1970-01-01T00:00:05Z" for n in event if n.endswith("_at")}
    assert content(log) == content(from_events([event | at] * 2))


def test_a_nameless_record_must_have_all_fields_of_an_event(tmp_path: Path) -> None:
    schema = sparks(schema_of(CONSENT))[0]
    del schema["fields"][0]
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), [])
    with pytest.raises(LogError, match="holds topLevelRecord records; an event log holds one of"):
        read_log(tmp_path / "a.avro")


def test_one_type_for_two_fields_is_refused_by_name() -> None:
    schema = schema_of(DECLARATION)
    schema["fields"][3]["type"] = "Kind"
    batch = Decoder(Versions(schema)).decode(topic_of(DECLARATION), 0, [7], [b"\0\0\0\0\x32abc"])
    assert "uses one type for two fields of DatasetDeclared" in reasons(batch)[7]

"""Resolves a writer's schema against the present one of an event type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import avro.errors
import avro.schema
import fastavro
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from lineage.codec.avro.adapted import UNNAMED, adapted
from lineage.codec.avro.bounds import refuse_unbounded
from lineage.codec.avro.logical_types import (
    Avro,
    OtherRecordError,
    UnreadableSchemaError,
    hidden,
    refuse_fixed,
    units_of,
)
from lineage.codec.contract.events import EventType
from lineage.codec.contract.fields import Field, Unit
from lineage.codec.contract.limits import SCHEMA_BYTES_MAX, mib

# The errors that the two libraries raise on a text that is no schema to them.
_NO_SCHEMA = (
    avro.errors.AvroException,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True)
class Resolved:
    """A writer's schema, and how its records are read as an event type.

    written: as JSON has it. writer, reader: both schemas as fastavro parsed them. named: the
    writer's types by their full names. units: of the instants that are not in microseconds.
    present: the event's fields as they are written, if datums have the same bytes as with the
    present schema. same_kinds: whether the columns of the writer's fields are those of the event's,
    by name alone.
    """

    written: Avro
    writer: Avro
    reader: Avro
    named: Mapping[str, Avro]
    units: Mapping[str, Unit]
    present: tuple[Field, ...] | None
    same_kinds: bool


def resolve(event: EventType, schema: str) -> Resolved:
    """Resolve a writer's schema, given as its text, against the present one of an event type.

    Raises UnreadableSchemaError where it is no Avro schema, not compatible with the event's, has a
    logical type that means something else, or bounds nothing.
    """
    if len(schema) > SCHEMA_BYTES_MAX:
        raise UnreadableSchemaError(f"it has more than {mib(SCHEMA_BYTES_MAX)}")
    named: dict[str, Avro] = {}
    try:
        written, wanted = hidden(json.loads(schema)), hidden(json.loads(event.schema))
        record = avro.schema.parse(json.dumps(written))
        writer = fastavro.parse_schema(written, named_schemas=named)
    except _NO_SCHEMA:
        raise UnreadableSchemaError("it is not an Avro schema") from None
    _check_name(event, record)
    refuse_unbounded(writer, named)
    refuse_fixed(event, writer, named)
    present_one = _canonical(fastavro.parse_schema(wanted))
    wanted = adapted(wanted, writer, named)
    reader = _checked(event, record, wanted)
    units = units_of(event, writer, named)
    present = None
    if _canonical(writer) == present_one:
        present = tuple(replace(f, unit=units.get(f.name, f.unit)) for f in event.fields)
    others = {name: unit for name, unit in units.items() if unit != "micros"}
    return Resolved(written, writer, reader, named, others, present, _same_kinds(written, wanted))


def _check_name(event: EventType, writer: avro.schema.Schema) -> None:
    names = (event.name, UNNAMED)
    if not isinstance(writer, avro.schema.RecordSchema) or writer.name not in names:
        name = getattr(writer, "name", None) or writer.type
        raise OtherRecordError(f"it is of {name[:64]}, not of {event.name}")


def _checked(event: EventType, writer: avro.schema.Schema, wanted: Avro) -> Avro:
    """Return the schema to read with, as fastavro parses it.

    Raises UnreadableSchemaError where it can't read what the writer wrote.
    """
    try:
        reader = avro.schema.parse(json.dumps(wanted))
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # its own gap
        result = checker.get_compatibility(reader, writer)
        parsed = fastavro.parse_schema(wanted)
    except _NO_SCHEMA:
        # Two of its types are one type of the writer's.
        raise UnreadableSchemaError(f"it uses one type for two fields of {event.name}") from None
    if result.compatibility is not SchemaCompatibilityType.compatible:
        where = ", ".join(sorted(result.locations))[:200]
        raise UnreadableSchemaError(
            f"it is not compatible with {event.name} as read here (at {where})"
        )
    return parsed


def _canonical(schema: Avro) -> str:
    return str(fastavro.schema.to_parsing_canonical_form(schema))


def _same_kinds(written: Avro, wanted: Avro, top: bool = True) -> bool:
    """Say whether the columns of the writer's fields are those of the reader's, by name alone.

    Records inside must have our fields in our order; the outermost may have others too.
    """
    written, wanted = _value(written), _value(wanted)
    if isinstance(written, str) or isinstance(wanted, str):
        return bool(_number(written) == _number(wanted))
    if written["type"] != wanted["type"]:
        return False
    if wanted["type"] == "array":
        return _same_kinds(written["items"], wanted["items"], top=False)
    if wanted["type"] != "record":
        return True
    theirs = [f["name"] for f in written["fields"]]
    ours = {f["name"]: f["type"] for f in wanted["fields"]}
    return (top or theirs == list(ours)) and all(
        _same_kinds(f["type"], ours[f["name"]], top=False)
        for f in written["fields"]
        if f["name"] in ours
    )


def _value(avro: Avro) -> Avro:
    return next(branch for branch in avro if branch != "null") if isinstance(avro, list) else avro


def _number(avro: Avro) -> Avro:
    return "long" if avro == "int" else avro

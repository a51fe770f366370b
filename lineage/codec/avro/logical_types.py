"""Resolves the logical types of a writer's schema: in which unit each of its instants counts.

By Avro's own resolution a logical type is ignored where the reader does not ask for it, and the
same instant then means another one: milliseconds read as microseconds are all in January 1970. So
what annotates a field that is read here is resolved, or the schema is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lineage.codec.contract.events import EventType
from lineage.codec.contract.fields import Field, Unit

Avro = Any  # a parsed schema: str, list or dict, as JSON has it

# Under this name no library knows it, so none warns of it, checks it or converts by it.
_HIDDEN = "lineage.logicalType"
_UNITS: Mapping[str, Unit] = {
    "timestamp-micros": "micros",
    "timestamp-millis": "millis",
    "timestamp-nanos": "nanos",
}
_RIGHT = "timestamp-micros, timestamp-millis or timestamp-nanos on a long would be right"
# Kafka Connect's name of what is microseconds without any logical type; its others are not.
_CONNECT_MICROS = "io.debezium.time.MicroTimestamp"
# Logical types that make something else of a value that is no instant, by what they annotate.
_MEANINGS = {
    "bytes": ("decimal", "big-decimal"),
    "int": ("date", "time-millis"),
    "long": ("time-micros", *_UNITS, *(f"local-{name}" for name in _UNITS)),
}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class UnreadableSchemaError(Exception):
    """A writer schema can't be read as the event type; the text says why."""


class OtherRecordError(UnreadableSchemaError):
    """A writer schema is of another record altogether."""


def hidden(schema: Avro) -> Avro:
    """Hide the logical types of a schema, as JSON has it, from all but `units_of`."""
    if isinstance(schema, list):
        return [hidden(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    found = {_HIDDEN if key == "logicalType" else key: value for key, value in schema.items()}
    for key in ("type", "items", "values"):
        if key in found:
            found[key] = hidden(found[key])
    if isinstance(found.get("fields"), list):
        found["fields"] = [hidden(field) for field in found["fields"]]
    return found


def units_of(event: EventType, schema: Avro, named: Mapping[str, Avro]) -> dict[str, Unit]:
    """Return the unit in which the writer counts each of the event's instants that it has.

    schema: a `hidden` record schema, compatible with the event's, as fastavro parsed it.
    named: its types by their full names. Raises UnreadableSchemaError where a logical type gives a
    field that is read another meaning.
    """
    written = {field["name"]: field for field in schema["fields"]}
    units: dict[str, Unit] = {}
    for field in event.fields:
        if field.name not in written:
            continue
        if field.kind == "instant":
            units[field.name] = _unit(field.name, written[field.name], named)
        else:
            _refuse_other_meanings(field, field.name, written[field.name]["type"], named)
    return units


def refuse_fixed(event: EventType, schema: Avro, named: Mapping[str, Avro]) -> None:
    """Raise UnreadableSchemaError by name where a field that is read is of fixed bytes, as a UUID.

    Avro reads a fixed as nothing else, so it is not compatible in any case.
    """
    written = {field["name"]: field["type"] for field in schema["fields"]}
    for field in event.fields:
        for avro in _branches(written.get(field.name, []), named):
            inner = avro["items"] if _type(avro) == "array" else avro
            for one in _branches(inner, named):
                if _type(one) == "fixed":
                    logical = one.get(_HIDDEN)
                    what = f", a {_word(logical)}," if logical else ""
                    raise UnreadableSchemaError(
                        f"{field.name} is of {one['size']} fixed bytes{what} which Avro reads as "
                        f"no text; it must be {field.right}"
                    )


def _unit(name: str, written: Avro, named: Mapping[str, Avro]) -> Unit:
    branches = [one for one in _branches(written["type"], named) if _type(one) != "null"]
    units = {_unit_of_branch(name, written, branch) for branch in branches}
    if len(units) > 1:
        raise UnreadableSchemaError(f"{name} counts in {' or '.join(sorted(units))}; {_RIGHT}")
    return units.pop() if units else "micros"


def _unit_of_branch(name: str, written: Avro, avro: Avro) -> Unit:
    logical = avro.get(_HIDDEN) if isinstance(avro, dict) else None
    if logical is not None:
        if logical not in _UNITS or _type(avro) != "long":
            raise UnreadableSchemaError(
                f"{name} has the logical type {_word(logical)} on {_article(_type(avro))}, which "
                f"is no instant in UTC; {_RIGHT}"
            )
        return _UNITS[logical]
    # Beside the type it annotates nothing, by Avro's rules; but it was meant.
    misplaced = written.get(_HIDDEN)
    if misplaced not in (None, "timestamp-micros"):
        raise UnreadableSchemaError(
            f"{name} has the logical type {_word(misplaced)} beside its type, where Avro ignores "
            f'it; it belongs inside: "type": {{"type": "long", "logicalType": '
            f'"{misplaced if misplaced in _UNITS else "timestamp-millis"}"}}'
        )
    connect = avro.get("connect.name") if isinstance(avro, dict) else None
    if connect not in (None, _CONNECT_MICROS):
        raise UnreadableSchemaError(
            f"{name} is {_word(connect)} to Kafka Connect, and has no logical type; {_RIGHT}"
        )
    return "micros"


def _refuse_other_meanings(
    field: Field, path: str, written: Avro, named: Mapping[str, Avro]
) -> None:
    for avro in _branches(written, named):
        kind = _type(avro)
        if kind == "array":
            _refuse_other_meanings(field, path, avro["items"], named)
        elif kind == "record":
            theirs = {one["name"]: one["type"] for one in avro["fields"]}
            for inner in field.fields:
                if inner.name in theirs:
                    _refuse_other_meanings(inner, f"{path}.{inner.name}", theirs[inner.name], named)
        elif isinstance(avro, dict) and avro.get(_HIDDEN) in _MEANINGS.get(kind, ()):
            raise UnreadableSchemaError(
                f"{path} has the logical type {avro[_HIDDEN]} on {_article(kind)}, which makes "
                f"something else of it; it must be {field.right}, without a logical type"
            )


def _branches(avro: Avro, named: Mapping[str, Avro]) -> Iterator[Avro]:
    """Yield the schema, or each branch of a union, with named types in place of their names."""
    for branch in avro if isinstance(avro, list) else (avro,):
        yield named.get(branch, branch) if isinstance(branch, str) else branch


def _type(avro: Avro) -> str:
    return str(avro["type"] if isinstance(avro, dict) else avro)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else kind if kind == "bytes" else f"a {kind}"


def _word(name: object) -> str:
    """Return a name of the schema's, or that it is none, for an error."""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else "that is no name"

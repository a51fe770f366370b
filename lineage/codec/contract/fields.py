"""The fields of an event, read from its Avro schema: the kind of each, and what would be right.

Everything that validates or converts events (JSON, Avro, checks) is derived from these fields, so
that the .avsc files are the one place where a field is declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .limits import HOP_ARRIVALS_MAX, ID_BYTES_MAX

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
# A count. Canonical JSON has numbers as IEEE doubles, which tell whole numbers apart up to here.
COUNT_MAX = 2**53 - 1
REGION_PATTERN = "^[A-Z]{2}$"

# Free text, which identifies nothing: any string is valid, the empty one too.
FREE_TEXT = frozenset({"job", "method", "recipient", "document"})

ONE_SENDER = "parties must have exactly one SENDER and at least one RECIPIENT"

Kind = Literal[
    "id", "text", "region", "enum", "bool", "int", "long", "instant", "ids", "record", "records"
]
Unit = Literal["micros", "millis", "nanos"]


@dataclass(frozen=True)
class Field:
    """One field of an event, or of a record in it.

    symbols: of an enum, in the order of the schema. fields: of a record or an array of records.
    at_least: the smallest number of items of an array. unit: in which an Avro writer counts an
    instant; everywhere else instants are microseconds.
    """

    name: str
    kind: Kind
    nullable: bool = False
    symbols: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    at_least: int = 0
    unit: Unit = "micros"

    @property
    def right(self) -> str:
        """Return the words after "must be" for a value of this field."""
        words = _RIGHT[self.kind].format(
            symbols=", ".join(self.symbols), names=", ".join(f.name for f in self.fields)
        )
        if self.kind == "ids" and self.at_least:
            words += f", at least {self.at_least}"
        return f"null or {words}" if self.nullable else words


_ID = f"a non-empty string of at most {ID_BYTES_MAX} bytes"
_RIGHT: dict[Kind, str] = {
    "id": _ID,
    "text": "a string",
    "region": "two capital letters (ISO 3166 alpha-2)",
    "enum": "one of {symbols}",
    "bool": "true or false",
    "int": "an integer of 32 bits",
    "long": f"a whole number from 0 to {COUNT_MAX}",
    "instant": "an instant from 1970 to 9999 with a zone, such as 2024-09-18T00:00:00Z",
    "ids": "an array of record ids, each " + _ID,
    "record": "an object with {names}",
    "records": "an array of objects with {names}",
}


def too_many_arrivals(inputs: int, outputs: int) -> str | None:
    """Return the reason against a hop of so many inputs and outputs, each id once; None: none."""
    arrivals = inputs * max(outputs, 1)
    if arrivals <= HOP_ARRIVALS_MAX:
        return None
    size = f"{inputs:,} x {outputs:,}" if outputs else f"{inputs:,}"
    return (
        f"a hop of {inputs:,} inputs and {outputs:,} outputs would be {size} arrivals for one "
        f"message in each; at most {HOP_ARRIVALS_MAX:,} are read; split it into several hops"
    )


def fields_of(record: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a parsed Avro record schema, in its order."""
    return tuple(_field(f["name"], f["type"]) for f in record["fields"])


def _field(name: str, avro: Any) -> Field:  # noqa: ANN401 - a parsed schema is str, list or dict
    if isinstance(avro, list):
        (inner,) = [branch for branch in avro if branch != "null"]
        field = _field(name, inner)
        return Field(name, field.kind, True, field.symbols, field.fields, field.at_least)
    if isinstance(avro, str):
        return Field(name, _primitive(name, avro))
    if avro.get("logicalType") == "timestamp-micros":
        return Field(name, "instant")
    if avro["type"] == "enum":
        return Field(name, "enum", symbols=tuple(avro["symbols"]))
    if avro["type"] == "record":
        return Field(name, "record", fields=fields_of(avro))
    if avro["items"] == "string":
        return Field(name, "ids", at_least=1 if name == "inputs" else 0)
    return Field(name, "records", fields=fields_of(avro["items"]))


def _primitive(name: str, avro: str) -> Kind:
    if avro == "string":
        return "text" if name in FREE_TEXT else "region" if name == "region" else "id"
    kinds: dict[str, Kind] = {"boolean": "bool", "int": "int", "long": "long"}
    return kinds[avro]

"""Adapts the present schema to a writer's, so that what resolves datum by datum is read so.

By Avro's rules a union, or an enum of more symbols, can be read as a type without some of them, and
only a datum that uses those can't. A library that compares schemas refuses all of it. So what is
compared and read is the present schema with null and with those symbols; the contract, which holds
for JSON as well, then says of each event what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Avro = Any  # a parsed schema: str, list or dict, as JSON has it

UNNAMED = "topLevelRecord"  # what Spark calls a record of which it knows no name


def adapted(wanted: Avro, written: Avro, named: Mapping[str, Avro]) -> Avro:
    """Adapt the present schema of something to the writer's schema of it.

    Returns it with null, the writer's symbols, strings in place of enums, and the writer's names
    of records and enums, as far as the writer has them.

    wanted: the present schema, as JSON has it. written: the writer's, as fastavro parsed it. named:
    the writer's types by their full names.
    """
    if isinstance(written, list) or isinstance(wanted, list):
        branches = written if isinstance(written, list) else [written]
        values = [branch for branch in branches if branch != "null"]
        value = wanted[1] if isinstance(wanted, list) else wanted
        if len(values) == 1:
            value = adapted(value, values[0], named)
        nullable = isinstance(wanted, list) or len(values) < len(branches)
        return ["null", value] if nullable else value
    if isinstance(written, str):
        written = named.get(written, written)
    kind = written["type"] if isinstance(written, dict) else written
    if not isinstance(wanted, dict):
        return wanted
    if wanted["type"] == "enum" and kind == "string":
        return "string"
    if wanted["type"] != kind:
        return wanted
    return _of_one_kind(wanted, written, named)


def _of_one_kind(wanted: Avro, written: Avro, named: Mapping[str, Avro]) -> Avro:
    match wanted["type"]:
        case "array":
            return {**wanted, "items": adapted(wanted["items"], written["items"], named)}
        case "enum":
            symbols = dict.fromkeys((*wanted["symbols"], *written["symbols"]))
            return {**wanted, "name": written["name"], "symbols": list(symbols)}
        case "record":
            theirs = {field["name"]: field["type"] for field in written["fields"]}
            fields = [
                {**field, "type": adapted(field["type"], theirs[field["name"]], named)}
                if field["name"] in theirs
                else field
                for field in wanted["fields"]
            ]
            return {**wanted, "name": written["name"], "fields": fields}
    return wanted

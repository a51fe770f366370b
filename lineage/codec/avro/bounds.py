"""Refuses writer schemas by which a few bytes come to any amount of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage.codec.avro.logical_types import UnreadableSchemaError
from lineage.codec.contract.limits import SCHEMA_TYPES_MAX

Avro = Any  # a parsed schema: str, list or dict, as JSON has it

_LEAST_BYTES = {"null": 0, "float": 4, "double": 8}


def refuse_unbounded(schema: Avro, named: Mapping[str, Avro]) -> None:
    """Refuse a schema by which a few bytes come to any amount of data.

    Raises UnreadableSchemaError where an array has items of no bytes, so that any number of them
    takes no room; where a type contains itself; or where types inside types come to more than
    SCHEMA_TYPES_MAX.

    schema: as fastavro parsed it. named: its types by their full names.
    """
    _Bounds(named).of(schema)


class _Bounds:
    """Bounds of each type: how many types are in it, and the bytes of its smallest value."""

    def __init__(self, named: Mapping[str, Avro]) -> None:
        self._named = named
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()

    def of(self, avro: Avro) -> tuple[int, int]:
        if isinstance(avro, str):
            return self._of_named(avro) if avro in self._named else (1, _LEAST_BYTES.get(avro, 1))
        if isinstance(avro, list):
            return self._together(1, [self.of(branch) for branch in avro], 1)
        match avro["type"]:
            case "record" | "error":
                return self._of_named(avro["name"])
            case "array" | "map" as kind:
                types, least = self.of(avro["items" if kind == "array" else "values"])
                if least == 0 and kind == "array":
                    raise UnreadableSchemaError(
                        "it has an array whose items have no bytes, of which any number takes none"
                    )
                return types + 1, 1
            case "fixed":
                return 1, int(avro["size"])
            case kind:
                return 1, _LEAST_BYTES.get(kind, 1)

    def _of_named(self, name: str) -> tuple[int, int]:
        if name not in self._known:
            avro = self._named[name]
            if avro["type"] not in ("record", "error"):
                return self.of(avro)
            if name in self._open:
                # A datum can be nested as deeply as it is long, and the library has no bound.
                raise UnreadableSchemaError(f"its type {name[:64]} contains itself")
            self._open.add(name)
            inner = [self.of(field["type"]) for field in avro["fields"]]
            self._known[name] = self._together(1, inner, sum(least for _, least in inner))
        return self._known[name]

    @staticmethod
    def _together(own: int, inner: list[tuple[int, int]], least: int) -> tuple[int, int]:
        types = own + sum(types for types, _ in inner)
        if types > SCHEMA_TYPES_MAX:
            raise UnreadableSchemaError(
                f"its types inside types come to more than {SCHEMA_TYPES_MAX:,}"
            )
        return types, least

"""Parses a policy document to plain values: JSON, or YAML without tags, anchors, aliases.

Scalars follow the core schema of YAML 1.2, in which only true and false are booleans. In YAML
1.1, the default of the yaml package, `NO` is false: a policy would lose Norway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

import yaml

from lineage.errors import PolicyError

Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None

DOCUMENT_BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 8  # a policy has 4 levels
VALUES_MAX: Final = 5_000  # mappings, lists, keys and scalars; a policy of 100 rules has 800

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH: Final = {"true": True, "True": True, "TRUE": True} | {
    "false": False,
    "False": False,
    "FALSE": False,
}
# 18 digits are more than any valid value has, and far below the limit of int().
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_FLOAT: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TOO_MANY: Final = f"the document must have at most {VALUES_MAX} values, keys and lists counted"


def read_document(document: str) -> Value:
    """Parse the text of a document. Raises PolicyError, whose reason never quotes the text."""
    try:
        size = len(document.encode())
    except UnicodeEncodeError:
        raise PolicyError("the document must be Unicode text, without lone surrogates") from None
    if size > DOCUMENT_BYTES_MAX:
        raise PolicyError(
            f"the document has {size} bytes; it may have at most {DOCUMENT_BYTES_MAX}"
        )
    document = document.removeprefix("\ufeff")
    if document.lstrip(" \t\r\n").startswith("{"):
        try:
            value = _from_json(document)
        except (ValueError, RecursionError):
            pass  # not JSON; a flow mapping in YAML begins the same way
        else:
            _check_values(value)
            return value
    return _from_yaml(document)


def _from_json(document: str) -> Value:
    # JSON has a parser of its own, since the yaml package does not take tabs and surrogate pairs.
    value: Value = json.loads(document, object_pairs_hook=_unique, parse_constant=_refuse)
    return value


def _unique(pairs: list[tuple[str, Value]]) -> Value:
    if len(found := dict(pairs)) < len(pairs):
        raise PolicyError("the document must not have the same key twice in one mapping")
    return found


def _refuse(_: str) -> Value:
    raise ValueError


def _check_values(value: Value) -> None:
    """Raise PolicyError for a value beyond the limits that hold for YAML, too."""
    level, count, depth = [value], 0, 0
    while level:
        count += len(level) + sum(len(one) for one in level if isinstance(one, dict))
        if depth > DEPTH_MAX:
            raise PolicyError("the document is nested too deeply")
        if count > VALUES_MAX:
            raise PolicyError(_TOO_MANY)
        lists = [one.values() if isinstance(one, dict) else one for one in level if _holds(one)]
        level, depth = [item for items in lists for item in items], depth + 1


def _holds(value: Value) -> TypeGuard[dict[str, Value] | list[Value]]:
    return isinstance(value, dict | list)


def _from_yaml(document: str) -> Value:
    # The pure Python parser: it yields events on demand, so that a document nested too deeply ends
    # early, and it parses the same on every machine.
    try:
        events = yaml.parse(document, Loader=yaml.SafeLoader)
        return _Builder(events).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise PolicyError(f"the document must be YAML or JSON{where}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise PolicyError("the document must be YAML or JSON") from None


class _Builder:
    """Builds values from parser events; refuses what a policy must not have."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._values = 0

    def document(self) -> Value:
        """Return the one document of the stream."""
        next(self._events)  # the start of the stream
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            raise PolicyError("the document is empty; it must be a mapping with four keys")
        value = self._value(next(self._events), 0)
        next(self._events)  # the end of the document
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise PolicyError("the document must be one YAML document, not several")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Value:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise PolicyError(f"the document must not have anchors or aliases (line {line})")
        if getattr(event, "tag", None) is not None:
            raise PolicyError(f"the document must not have tags (line {line})")
        if depth > DEPTH_MAX:
            raise PolicyError(f"the document is nested too deeply (line {line})")
        self._values += 1
        if self._values > VALUES_MAX:
            raise PolicyError(f"{_TOO_MANY} (line {line})")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.style is None else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth + 1)
        return self._mapping(depth + 1)

    def _sequence(self, depth: int) -> Value:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth))
        return items

    def _mapping(self, depth: int) -> Value:
        found: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            key = self._value(event, depth)
            if not isinstance(key, str):
                raise PolicyError(f"the document must have text as keys (line {line})")
            if key in found:
                raise PolicyError(
                    f"the document must not have the same key twice in one mapping (line {line})"
                )
            found[key] = self._value(next(self._events), depth)
        return found


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _scalar(text: str) -> Value:
    """Resolve a scalar that is not quoted, as the core schema of YAML 1.2 does."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text) or _NO_FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def json_type(value: Any) -> str:  # noqa: ANN401 - any value of a document
    """Name a value's type as JSON does, for a reason."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "text"}
    names |= {list: "a list", dict: "a mapping"}
    return names.get(type(value), "a value")

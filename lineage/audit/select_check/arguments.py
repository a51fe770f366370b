"""Checks the arguments of a query's functions: bounds on those that could amplify their input."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from lineage.audit.select_check.functions import (
    AGGREGATES,
    FORMATS,
    JOINING,
    LIST_AGGREGATES,
    LITERALS,
    PATTERNS,
    REDUCES,
    SERIES_MAX,
    SETTINGS,
    SHORT_CHARACTERS,
    SHORT_TEXTS,
    WIDTH_MAX,
)
from lineage.audit.select_check.shapes import Node
from lineage.errors import QueryError

_WILDCARDS_MAX: Final = 2
# A function's schema may also be the column that it is called on, as in name.upper().
_SCHEMAS: Final = frozenset({"", "main", "system", "pg_catalog", "core"})


class Arguments:
    """Checks the arguments of functions. values: of the parameters, by their names."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def check(self, name: str, arguments: list[Node]) -> None:
        """Check the arguments of the function `name`. Raises QueryError."""
        if name in LITERALS:
            self._check_number(name, arguments)
        if name == "repeat" and arguments and not _is_short(arguments[0]):
            raise QueryError(
                "repeat() is allowed only for a literal text or for left(text, number);"
                " bar() draws bars"
            )
        if name in ("range", "generate_series"):
            _check_series(name, arguments)
        if name in PATTERNS and len(arguments) > 1:
            self._check_pattern(name, arguments[1])
        if name in FORMATS:
            self._check_format(name, arguments)
        if name in SHORT_TEXTS and not all(_is_short(each) for each in arguments):
            raise QueryError(
                f"{name}() takes the square of its texts' lengths, so it is allowed only for short"
                f" ones; write {name}(left(a, 200), left(b, 200))"
            )
        if name in LIST_AGGREGATES and self._text(arguments, 1).lower() not in AGGREGATES:
            raise QueryError(f"{name}() needs the name of an aggregate function, as a literal")
        if name == "current_setting" and self._text(arguments, 0).lower() not in SETTINGS:
            raise QueryError(
                f"current_setting() is allowed only with one of {', '.join(sorted(SETTINGS))}"
            )
        if name in REDUCES:
            _check_reduce(name, arguments)

    def _check_number(self, name: str, arguments: list[Node]) -> None:
        place, most = LITERALS[name]
        if place >= len(arguments):
            return
        value = self._value(arguments[place])
        if not isinstance(value, int) or abs(value) > most:
            raise QueryError(
                f"argument {place + 1} of {name}() must be a whole number of at most {most:,},"
                " written out"
            )

    def _check_pattern(self, name: str, node: Node) -> None:
        pattern = self._value(node)
        if pattern is None and _is_null(node):
            return
        if not isinstance(pattern, str):
            raise QueryError(
                "the pattern of LIKE, ILIKE or GLOB must be written out, or be a parameter;"
                " contains(), starts_with() and ends_with() take any text"
            )
        plain = name in ("~~", "!~~") and "_" not in pattern
        wildcard = "*" if name == "~~~" else "%"
        runs = re.findall(re.escape(wildcard) + "+", pattern.rstrip(wildcard))
        if len(runs) > _WILDCARDS_MAX and not plain:
            raise QueryError(
                f"at most {_WILDCARDS_MAX} {wildcard} before the last character are allowed in a"
                " pattern of ILIKE or GLOB, or of LIKE with _; regexp_matches() takes any pattern"
            )

    def _check_format(self, name: str, arguments: list[Node]) -> None:
        # strftime takes its arguments in either order.
        places = range(len(arguments)) if name == "strftime" else range(min(1, len(arguments)))
        texts = [text for place in places if (text := self._text(arguments, place))]
        if not texts:
            raise QueryError(f"the format of {name}() must be a literal text or a parameter")
        if not all(_is_plain_format(name, text) for text in texts):
            raise QueryError(
                f"the format of {name}() may have at most {WIDTH_MAX:,} characters, no width above"
                " that, and none that is an argument"
            )

    def _text(self, arguments: list[Node], place: int) -> str:
        value = self._value(arguments[place]) if place < len(arguments) else None
        return value if isinstance(value, str) else ""

    def _value(self, node: Node) -> object:
        """Return the value of a literal or a parameter; None for anything else."""
        if node["class"] == "PARAMETER":
            return self._values.get(node["identifier"])
        return literal(node)


def arguments_of(node: Node) -> list[Node]:
    """Return the arguments of a function, also where the first one stands before a dot."""
    arguments: list[Node] = node["children"]
    if node["schema"].lower() in _SCHEMAS:
        return arguments
    names = [name for name in (node["catalog"], node["schema"]) if name]
    return [{"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": names}, *arguments]


def literal(node: Node) -> object:
    """Return the value of a literal, also with a minus or a cast; None for anything else."""
    if node["class"] == "CONSTANT":
        return node["value"].get("value")
    if node["class"] == "CAST":
        return literal(node["child"])
    if node["class"] == "FUNCTION" and node["function_name"] == "-" and len(node["children"]) == 1:
        value = literal(node["children"][0])
        return -value if isinstance(value, (int, float)) else None
    return None


def parameters_of(node: Node) -> list[str]:
    """Return the names of a lambda's parameters."""
    names = node["lhs"].get("children", [node["lhs"]])
    return [name["column_names"][0] for name in names if name["class"] == "COLUMN_REF"]


def _is_null(node: Node) -> bool:
    while node["class"] == "CAST":
        node = node["child"]
    return node["class"] == "CONSTANT" and bool(node["value"]["is_null"])


def _is_short(node: Node) -> bool:
    """Say whether the query alone shows that a text has at most SHORT_CHARACTERS."""
    if node["class"] == "CONSTANT":
        return len(str(node["value"].get("value", ""))) <= SHORT_CHARACTERS
    if node["class"] != "FUNCTION":
        return False
    name, arguments = node["function_name"].lower(), arguments_of(node)
    if name in ("lower", "upper", "trim", "ltrim", "rtrim", "reverse") and arguments:
        return _is_short(arguments[0])
    place = {"left": 1, "right": 1, "substring": 2, "substr": 2}.get(name, len(arguments))
    length = literal(arguments[place]) if place < len(arguments) else None
    return isinstance(length, int) and 0 <= length <= SHORT_CHARACTERS


def _is_plain_format(name: str, text: str) -> bool:
    braces = text.replace("{{", "").replace("}}", "")
    dynamic = "*" in text if name == "printf" else re.search(r"\{[^}]*\{", braces)
    numbers = (int(digits[:20]) for digits in re.findall(r"\d+", text))
    return not dynamic and len(text) <= WIDTH_MAX and all(n <= WIDTH_MAX for n in numbers)


def _check_series(name: str, arguments: list[Node]) -> None:
    values = [literal(each) for each in arguments]
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) == len(arguments) and 1 <= len(numbers) <= 3:
        start, stop = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
        step = abs(numbers[2]) if len(numbers) == 3 else 1
        if abs(stop - start) <= SERIES_MAX * max(step, 1):
            return
    elif len(arguments) == 3 and all(map(_is_day, values[:2])) and _is_in_days(arguments[2]):
        return
    raise QueryError(
        f"{name}() as a list takes literal numbers, at most {SERIES_MAX:,} apart, or literal"
        f" instants in steps of days; FROM {name}(…) takes any and gives rows"
    )


def _is_day(value: object) -> bool:
    return isinstance(value, str) and re.match(r"\d{4}-", value) is not None


def _is_in_days(node: Node) -> bool:
    """Say whether an interval is a literal one of at least a day."""
    if node["class"] == "CAST" and node["cast_type"]["id"] == "INTERVAL":
        text, days = literal(node["child"]), r"\s*[1-9]\d*\s*(day|week|month|quarter|year)s?\s*"
        return isinstance(text, str) and re.fullmatch(days, text, re.IGNORECASE) is not None
    units = ("to_days", "to_weeks", "to_months", "to_quarters", "to_years")
    if node["class"] != "FUNCTION" or node["function_name"] not in units or not node["children"]:
        return False
    number = node["children"][0]
    while number["class"] == "CAST" or number.get("function_name") == "trunc":
        number = number["child"] if number["class"] == "CAST" else number["children"][0]
    value = literal(number)
    return isinstance(value, int) and value != 0


def _check_reduce(name: str, arguments: list[Node]) -> None:
    """Refuse a reduction that could double its result with each element."""
    for each in arguments:
        if each["class"] != "LAMBDA":
            continue
        so_far = partial(_names, names=parameters_of(each)[:1])
        joins = _count(each["expr"], lambda node: node.get("function_name", "") in JOINING)
        if joins and _count(each["expr"], so_far) > 1:
            raise QueryError(f"{name}() may join what it has so far only once to something")


def _names(node: Node, names: list[str]) -> bool:
    if node.get("class") == "COLUMN_REF":
        return node["column_names"][0] in names
    return node.get("class") == "FUNCTION" and (node["catalog"] or node["schema"]) in names


def _count(node: Any, wanted: Callable[[Node], bool]) -> int:  # noqa: ANN401 - JSON of any shape
    if isinstance(node, list):
        return sum(_count(item, wanted) for item in node)
    if not isinstance(node, dict):
        return 0
    return wanted(node) + sum(_count(value, wanted) for value in node.values())

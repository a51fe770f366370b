"""Functions and operators of rules: the kind of value that each gives, and its cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lineage.errors import PolicyError
from lineage.policy.rules import nodes as parts
from lineage.policy.rules.allowlist import (
    ARITHMETIC,
    CASE_MAPPING,
    CONCATENATION,
    DATE_DIFFS,
    DATE_PARTS,
    DATE_TRUNCS,
    EXTREMES,
    FIELDS,
    GLOB,
    LIKES,
    OPERATORS,
    REGEXPS,
    ROUNDING,
    SEARCHES,
    SUBSTRINGS,
    TEXT_TO_NUMBER,
    TEXT_TO_TEXT,
    TO_INTERVAL,
    TOTAL,
    TRIMS,
)
from lineage.policy.rules.kinds import INSTANTS, alike, as_kind, unified
from lineage.policy.rules.nodes import (
    BOOLEAN,
    DATE,
    INTEGER,
    INTERVAL,
    NULL,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Part,
)
from lineage.policy.rules.patterns import (
    check_glob,
    is_like,
    like,
    regexp_size,
    stars,
    unconverted,
)

WIDTH_MAX: Final = 4096
_INTERVAL_SECONDS_MAX: Final = 10_000 * 31_622_400  # ten thousand years
# Nanoseconds of arithmetic with numbers of 38 digits or with a calendar, and of parsing a text.
_CALENDAR_WORK: Final = 300
_READING_WORK: Final = 1_000
_REGEXP_SIZE_PER_NS: Final = 4
_COUNT_MAX: Final = 1 << 31
_UNFAILING: Final = TOTAL | REGEXPS | {"position"}


def call(name: str, children: list[Part]) -> Part:
    """Return a call of one of FUNCTIONS, null where it fails. Raises PolicyError."""
    if name in LIKES:
        return _like(name, children)
    if name in EXTREMES:
        return alike(children, lambda nodes: parts.call(name, *nodes), "")
    if name in REGEXPS:
        children = _regexp(name, children)
    if name == GLOB and (found := _glob(children)):
        return found
    if name in ARITHMETIC or name in DATE_DIFFS or name in DATE_TRUNCS or name in FIELDS:
        children = _of_instants(name, children)
    kind = _kind(name, [child.kind for child in children])
    if name in TO_INTERVAL and (found := _few(name, children)):
        return found
    width = _width(name, children)
    if width > WIDTH_MAX:
        raise PolicyError(
            f"must not make texts that can have more than {WIDTH_MAX} bytes (an id has up to 256)"
        )
    made = parts.call(name, *(part.node for part in children), is_operator=name in OPERATORS)
    part = parts.over(children, made, kind, work=_work(name, children, width), width=width)
    part = replace(part, most=_most(name, children))
    if name in _UNFAILING or part.most is not None or _cannot_fail(name, kind, children):
        return part
    return parts.guarded(part)


# -- patterns


def _like(name: str, children: list[Part]) -> Part:
    folded, negated = LIKES[name]
    if len(children) not in (2, 3) or not all(map(_is_text, children[1:])):
        raise PolicyError("must give LIKE a literal pattern in quotes")
    pattern, escape = _value(children[1]), _value(children[2]) if len(children) == 3 else ""
    subject = call("lower", [children[0]]) if folded else children[0]
    found = like(pattern, escape, folded=folded)
    return _matched(subject, found.pattern, found.regexp, negated=negated, folded=folded)


def _matched(
    subject: Part, pattern: str | None, regexp: str, *, negated: bool, folded: bool
) -> Part:
    """Return a match of LIKE: by LIKE in one pass, or by a regular expression."""
    text = parts.text(regexp if pattern is None else pattern)
    if folded and not regexp.isascii():
        text = parts.call("lower", text)
    if pattern is None:
        made = parts.call("regexp_full_match", subject.node, text, parts.text("s"))
        work = _matching(subject, regexp_size(regexp, "s"))
    else:
        made = parts.call("~~", subject.node, text, is_operator=True)
        work = _searching(subject.width, len(pattern.encode()))
    return parts.over([subject], parts.negation(made) if negated else made, BOOLEAN, work=work)


def _glob(children: list[Part]) -> Part | None:
    if len(children) != 2 or not _is_text(children[1]):
        raise PolicyError("must give GLOB a literal pattern in quotes")
    pattern = _value(children[1])
    if not is_like(pattern):
        check_glob(pattern)
        return None
    found = like(pattern, glob=True)
    return _matched(children[0], found.pattern, found.regexp, negated=False, folded=False)


def _regexp(name: str, children: list[Part]) -> list[Part]:
    if len(children) not in (2, 3) or not all(map(_is_text, children[1:])):
        raise PolicyError(f"must give {name}() a literal pattern in quotes, and options so, too")
    pattern, options = _value(children[1]), _value(children[2]) if len(children) == 3 else ""
    size = regexp_size(pattern, options)
    if name == "regexp_matches":
        pattern = unconverted(pattern)
    subject = children[0]
    own = Part(parts.text(pattern), TEXT, work=_matching(subject, size))
    return [subject, own, *children[2:]]


def _is_text(part: Part) -> bool:
    return part.literal and part.kind == TEXT


def _value(part: Part) -> str:
    return str(part.node["value"]["value"])


# -- instants


def _of_instants(name: str, children: list[Part]) -> list[Part]:
    """Return the arguments, with literal text next to instants as instants or intervals."""
    asked = children[1:] if name in DATE_DIFFS | DATE_TRUNCS else children
    kinds = {child.kind for child in asked}
    if name in DATE_DIFFS and kinds & INSTANTS:
        _, asked = unified(asked)
        return [children[0], *asked]
    if name not in ARITHMETIC and TEXT in kinds:
        raise PolicyError(
            f"must give {name}() an instant, a date or an interval, not text:"
            " write TIMESTAMP '2024-09-18 00:00:00'"
        )
    if name in ("+", "-") and kinds & (INSTANTS | {INTERVAL}):
        if NULL in kinds:
            raise PolicyError("must not add NULL to an instant or an interval, nor take it")
        return [as_kind(part, INTERVAL) if part.kind == TEXT else part for part in children]
    return children


def _few(name: str, children: list[Part]) -> Part | None:
    """Return a literal interval that is short enough to be added to any instant; else None."""
    count = _whole_number(children[0].node) if len(children) == 1 else None
    if count is None or abs(count) * TO_INTERVAL[name] > _INTERVAL_SECONDS_MAX:
        return None
    long = TO_INTERVAL[name] < TO_INTERVAL["to_days"]
    value = {"type": parts.plain_type("INTEGER"), "is_null": False, "value": count}
    number = parts.node("CONSTANT", "VALUE_CONSTANT", value=value)
    argument = parts.cast(number, parts.plain_type("BIGINT" if long else "INTEGER"), attempt=False)
    return Part(parts.call(name, argument), INTERVAL, size=3, steady=True)


def _cannot_fail(name: str, kind: str, children: list[Part]) -> bool:
    """Say whether a function that may fail cannot fail with these arguments."""
    if name in SUBSTRINGS:
        return all(part.most is not None and part.most < _COUNT_MAX for part in children[1:])
    if name in FIELDS | DATE_PARTS | DATE_TRUNCS | DATE_DIFFS:
        asked = children if name in FIELDS else children[1:]
        return all(part.steady and part.kind in INSTANTS for part in asked)
    adds = name in ("+", "-") and len(children) == 2 and kind == TIMESTAMP
    return adds and all(part.steady for part in children)


def _most(name: str, children: list[Part]) -> int | None:
    """Return a bound on the absolute value of a call's integer; None where none is known."""
    if name in TEXT_TO_NUMBER or name == "position":
        return WIDTH_MAX
    first, *rest = [child.most for child in children] or [None]
    if first is None or len(rest) > 1 or name not in ("+", "-", "*"):
        return None
    second = rest[0] if rest else 0
    if second is None:
        return None
    found = first * second if name == "*" else first + second
    return found if found < _COUNT_MAX else None


def _whole_number(node: parts.Node) -> int | None:
    """Return n of `INTERVAL n DAY`, which is to_days(CAST(trunc(CAST(n AS DOUBLE)) AS INTEGER))."""
    if node["class"] == "CAST":
        return _whole_number(node["child"])
    if node["class"] == "OPERATOR" and node["type"] == "OPERATOR_TRY":
        return _whole_number(node["children"][0])
    if node["class"] == "FUNCTION" and node["function_name"] == "trunc":
        return _whole_number(node["children"][0])
    value = node["value"].get("value") if node["class"] == "CONSTANT" else None
    return value if isinstance(value, int) else None


# -- kinds, widths, work


def _kind(name: str, kinds: list[str]) -> str:
    if name in TEXT_TO_TEXT or name in SUBSTRINGS:
        return TEXT
    if name in SEARCHES or name in REGEXPS or name == GLOB:
        return BOOLEAN
    if name in TO_INTERVAL:
        return INTERVAL
    if name in DATE_TRUNCS:
        return INTERVAL if INTERVAL in kinds else TIMESTAMP
    if name in TEXT_TO_NUMBER or name in DATE_DIFFS or name == "position":
        return INTEGER
    if name in FIELDS:
        return NUMBER if name == "epoch" else INTEGER
    if name in DATE_PARTS or name in ROUNDING or name == "/":
        return INTERVAL if name == "/" and kinds[:1] == [INTERVAL] else NUMBER
    return _sum_kind(name, kinds)


def _sum_kind(name: str, kinds: list[str]) -> str:
    instants, all_kinds = [kind for kind in kinds if kind in INSTANTS], set(kinds)
    if instants and INTERVAL in all_kinds:
        return TIMESTAMP
    if len(instants) == 2:
        return INTEGER if all_kinds == {DATE} and name == "-" else INTERVAL
    if instants:
        return instants[0]
    if INTERVAL in all_kinds:
        return INTERVAL
    return INTEGER if all_kinds == {INTEGER} else NUMBER


def _width(name: str, children: list[Part]) -> int:
    if name in CONCATENATION:
        return sum(child.width for child in children)
    if name not in TEXT_TO_TEXT | SUBSTRINGS or not children:
        return 0
    first = children[0].width
    return first * 3 // 2 if name in CASE_MAPPING else first


def _work(name: str, children: list[Part], width: int) -> int:
    widths = [child.width for child in children]
    if name in CASE_MAPPING or name in TRIMS or name == "reverse":
        return parts.CONVERT_WORK * sum(widths)
    if name in SEARCHES or name in TEXT_TO_NUMBER or name == "position":
        return _searching(widths[0], max(widths[1:], default=0)) if widths else 0
    if name in CONCATENATION or name in SUBSTRINGS:
        return parts.SEARCH_WORK * (sum(widths) + width)
    if name == GLOB:
        places = widths[0] // 2 if stars(_value(children[1])) else 1
        return widths[0] * (places * 2 + parts.SEARCH_WORK)
    return _CALENDAR_WORK


def _searching(width: int, wanted: int) -> int:
    return width * (parts.SEARCH_WORK + wanted // 16)


def _matching(subject: Part, size: int) -> int:
    return subject.width * (parts.SEARCH_WORK + size // _REGEXP_SIZE_PER_NS)


def reading_work(part: Part) -> int:
    """Return the work of a cast of a part."""
    return _READING_WORK + parts.SEARCH_WORK * part.width

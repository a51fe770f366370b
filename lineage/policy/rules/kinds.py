"""Type unification: the common kind of values in one comparison, and literal text cast to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lineage.errors import PolicyError
from lineage.policy.rules import nodes as parts
from lineage.policy.rules.instants import date_text, timestamp_text
from lineage.policy.rules.nodes import BOOLEAN, DATE, INTEGER, NULL, NUMBER, TEXT, TIMESTAMP, Part

INSTANTS: Final = frozenset({TIMESTAMP, DATE})
_NUMBERS: Final = frozenset({INTEGER, NUMBER})


def alike(children: list[Part], build: Callable[[list[parts.Node]], parts.Node], kind: str) -> Part:
    """Return a node over parts that DuckDB casts to one type, null where that fails.

    Literal text among instants, intervals and truth values is cast to their kind. kind: of the
    node, or "" for that of its parts.
    """
    common, children = unified(children)
    made_of = build([child.node for child in children])
    width = max(child.width for child in children)
    texts = [child.width for child in children if child.kind == TEXT]
    # Text that is no number fails, and DuckDB copies it into its message.
    work = sum(texts) // 4 if common not in _NUMBERS else sum(texts) * parts.CONVERT_WORK // 6
    made = parts.over(children, made_of, kind or common, work=work, width=width)
    return made if is_safe(children) else parts.guarded(made)


def is_safe(children: list[Part]) -> bool:
    """Say whether DuckDB's cast of these parts to one type cannot fail."""
    kinds = {child.kind for child in children} - {NULL}
    return len(kinds) <= 1 and NUMBER not in kinds


def unified(children: list[Part]) -> tuple[str, list[Part]]:
    """Return the common kind of parts, and the parts with literal text cast to that kind.

    Raises PolicyError where text that is no literal would be parsed as an instant.
    """
    kinds = {child.kind for child in children} - {NULL}
    others = kinds - {TEXT}
    target = _common(others) if others else TEXT if kinds else NULL
    if TEXT not in kinds or target in _NUMBERS | {TEXT}:
        return target, children
    return target, [as_kind(child, target) if child.kind == TEXT else child for child in children]


def _common(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds <= INSTANTS:
        return TIMESTAMP
    if kinds <= _NUMBERS | {BOOLEAN}:
        return NUMBER
    raise PolicyError(
        "does not fit together: it compares values of different types"
        " (numbers, instants, intervals, truth values); cast one of them"
    )


def as_kind(part: Part, kind: str, *, attempt: bool = False) -> Part:
    """Return literal text, or a choice (CASE, COALESCE) of literal texts, as another kind.

    Raises PolicyError for text that is no literal where an instant or a date is needed.
    """
    if not part.literal and kind not in INSTANTS:
        return part
    made = _literal_as(part.node, kind, attempt=attempt)
    steady = part.literal and kind in INSTANTS and "inf" not in made["child"]["value"]["value"]
    return replace(part, node=made, kind=kind, width=parts.PLAIN_WIDTH, steady=steady)


def _literal_as(node: parts.Node, kind: str, *, attempt: bool) -> parts.Node:
    if node["class"] == "CONSTANT":
        if node["value"]["is_null"]:
            return node
        if kind in INSTANTS:
            read = timestamp_text if kind == TIMESTAMP else date_text
            node = parts.text(read(str(node["value"]["value"])))
        return parts.cast(node, parts.plain_type(kind), attempt=attempt)
    if node["class"] == "CASE":
        checks = [
            {**check, "then_expr": _literal_as(check["then_expr"], kind, attempt=attempt)}
            for check in node["case_checks"]
        ]
        otherwise = _literal_as(node["else_expr"], kind, attempt=attempt)
        return {**node, "case_checks": checks, "else_expr": otherwise}
    if node["type"] == "OPERATOR_COALESCE":
        children = [_literal_as(child, kind, attempt=attempt) for child in node["children"]]
        return {**node, "children": children}
    raise PolicyError(
        f"must not compare text that is no literal with a {kind}, nor cast it to one: an offset"
        " in it would be passed over"
    )

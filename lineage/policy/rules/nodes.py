"""Parts of a rule: checked syntax nodes with static bounds on their values, size and work.

The bounds follow from the syntax tree, never from a clock: the same rule is accepted or refused on
every machine, so two stores never differ in their policies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

Node = dict[str, Any]  # a node of DuckDB's syntax tree; its shape is checked key by key

# The kinds of values, as far as rules need to tell them apart: BOOLEAN, VARCHAR, TIMESTAMP, DATE,
# INTERVAL, INTEGER (of at most 64 bits with a sign), NUMBER (any other), NULL (the literal).
BOOLEAN, TEXT, TIMESTAMP, DATE = "BOOLEAN", "VARCHAR", "TIMESTAMP", "DATE"
INTERVAL, INTEGER, NUMBER, NULL = "INTERVAL", "INTEGER", "NUMBER", "NULL"

# Nanoseconds of work, estimated from above: of one step, of one byte of a text that is searched,
# and of one that is converted by character (letters beyond ASCII take that long).
STEP_WORK: Final = 50
SEARCH_WORK: Final = 4
CONVERT_WORK: Final = 60
# A step that fails is an exception in C++, and DuckDB then repeats the expression in the TRY row by
# row: TRY within TRY multiplies.
FAILURE_WORK: Final = 10_000
REPEATS: Final = 3
# A text that is not an id: a number, an instant, a truth value.
PLAIN_WIDTH: Final = 64


@dataclass(frozen=True)
class Part:
    """A checked node.

    kind: of its value.
    width: at most so many bytes, if it is text, or as text.
    size: the number of nodes once DuckDB has expanded this one.
    work: at most so much for one arrival, in nanoseconds.
    steady: an instant or an interval so small that adding or subtracting a steady one cannot fail.
    most: an INTEGER whose absolute value is not greater; None: not known.
    """

    node: Node
    kind: str
    width: int = PLAIN_WIDTH
    size: int = 1
    work: int = STEP_WORK
    steady: bool = False
    most: int | None = None

    @property
    def literal(self) -> bool:
        """Say whether the node is a literal as it was written."""
        return bool(self.node["class"] == "CONSTANT")

    @property
    def constant(self) -> bool:
        """Say whether the node is a literal, or one cast to a type."""
        node = self.node["child"] if self.node["class"] == "CAST" else self.node
        return bool(node["class"] == "CONSTANT")


def over(children: list[Part], node: Node, kind: str, *, work: int = 0, width: int = 0) -> Part:
    """Return the part of a node over its children.

    work: the node's own, besides a step. width: of the node's text, or 0 for another kind.
    """
    return Part(
        node,
        kind,
        width or PLAIN_WIDTH,
        1 + sum(child.size for child in children),
        STEP_WORK + work + sum(child.work for child in children),
    )


def guarded(part: Part) -> Part:
    """Return the part that is null where this one fails."""
    if part.node["type"] == "OPERATOR_TRY":
        return part
    return replace(
        part,
        node=attempt(part.node),
        size=part.size + 1,
        work=REPEATS * part.work + FAILURE_WORK,
        steady=False,
    )


def more(part: Part, *, size: int, work: int) -> Part:
    """Return the part with more size and work, for the copies that DuckDB makes."""
    times = REPEATS if part.node["type"] == "OPERATOR_TRY" else 1
    return replace(part, size=part.size + size, work=part.work + times * work)


def node(kind: str, operation: str, **parts: object) -> Node:
    """Return a node of DuckDB's syntax tree."""
    return {"class": kind, "type": operation, "alias": "", "query_location": 0, **parts}


def plain_type(name: str) -> Node:
    """Return a type without parameters."""
    return {"id": name, "type_info": None}


def text(value: str) -> Node:
    """Return a literal text."""
    constant = {"type": plain_type("VARCHAR"), "is_null": False, "value": value}
    return node("CONSTANT", "VALUE_CONSTANT", value=constant)


def call(name: str, *children: Node, is_operator: bool = False) -> Node:
    """Return a call of a function."""
    return node(
        "FUNCTION", "FUNCTION", function_name=name, schema="", catalog="", children=[*children],
        filter=None, order_bys={"type": "ORDER_MODIFIER", "orders": []}, distinct=False,
        is_operator=is_operator, export_state=False,
    )  # fmt: skip


def cast(child: Node, target: Node, *, attempt: bool) -> Node:
    """Return a cast; attempt: TRY_CAST."""
    return node("CAST", "OPERATOR_CAST", child=child, cast_type=target, try_cast=attempt)


def attempt(child: Node) -> Node:
    """Return a TRY of a node."""
    return node("OPERATOR", "OPERATOR_TRY", children=[child])


def negation(child: Node) -> Node:
    """Return a NOT of a node."""
    return node("OPERATOR", "OPERATOR_NOT", children=[child])

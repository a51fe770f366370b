"""Rewrites rules by an allowlist: a walk over DuckDB's syntax tree that builds a new one.

Only nodes listed here get into the new tree; any other is a PolicyError. The new tree also means
the same wherever it is evaluated: every step that could fail at run time gives null instead (TRY,
TRY_CAST), step by step. A TRY around the whole rule would not do: whether `a AND b` fails when `a`
is false and `b` fails depends on DuckDB's statistics of the other rows in the batch, so a flag
could depend on how events were batched.

The shapes of the nodes are those of `json_serialize_sql` in DuckDB 1.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from lineage.errors import PolicyError
from lineage.policy.rules import functions as function
from lineage.policy.rules import kinds as kinds
from lineage.policy.rules import nodes as parts
from lineage.policy.rules.allowlist import (
    CASTS,
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    LITERAL_ARGUMENTS,
    SMALL_INTEGERS,
)
from lineage.policy.rules.nodes import (
    BOOLEAN,
    DATE,
    INTEGER,
    NULL,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Node,
    Part,
)

DEPTH_MAX: Final = 50
NODES_MAX: Final = 1000
# Nanoseconds for one arrival, for all rules of a policy. A rule that reads neither message_id nor
# arrived_at is evaluated once for all arrivals with the same facts: its work is divided by ONCE.
WORK_MAX: Final = 100_000
ONCE: Final = 8

_ID_WIDTH: Final = 256
_WORD_WIDTH: Final = 16
_IDS: Final = frozenset({"message_id", "dataset", "recipient"})


class Rewrite:
    """One walk over a rule. After `rule`, `facts` are the facts named.

    known_functions: all names of DuckDB's functions, so that a reason can name a function that is
    refused without ever repeating text that is no function's name.
    """

    def __init__(self, facts: Mapping[str, str], known_functions: frozenset[str]) -> None:
        self._facts = facts
        self._known_functions = known_functions
        self._nodes = 0
        self.facts: set[str] = set()
        self._build: dict[str, Callable[[Node, int], Part]] = {
            "COLUMN_REF": self._column,
            "CONSTANT": self._constant,
            "CAST": self._cast,
            "COMPARISON": self._comparison,
            "CONJUNCTION": self._conjunction,
            "BETWEEN": self._between,
            "OPERATOR": self._operator,
            "CASE": self._case,
            "FUNCTION": self._function,
        }

    def rule(self, node: Node) -> Part:
        """Return the checked form of a whole rule: none of its steps can fail."""
        part = self.value(node)
        tried = part.node["type"] == "OPERATOR_TRY"
        made = part.node if tried else parts.attempt(part.node)
        return Part(made, part.kind, part.width, part.size, part.work)

    def value(self, node: Node, depth: int = 0) -> Part:
        """Return the checked form of a node, of any type."""
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise PolicyError(_TOO_LARGE)
        build = self._build.get(node.get("class", ""))
        if build is None:
            raise PolicyError(_NOT_ALLOWED.get(node.get("class", ""), _PLAIN_ONLY))
        if node.get("alias"):
            raise PolicyError("must be one expression without a name (AS, :=)")
        part = build(node, depth + 1)
        if part.size > NODES_MAX:
            raise PolicyError(_TOO_LARGE)
        if part.work > WORK_MAX * ONCE:
            raise PolicyError(TOO_MUCH_WORK)
        return part

    def truth(self, node: Node, depth: int) -> Part:
        """Return the checked form of a node where AND, OR, NOT or WHEN need a truth value."""
        part = self.value(node, depth)
        if part.kind == BOOLEAN:
            return part
        if part.kind == TEXT:
            raise PolicyError("must give AND, OR, NOT and WHEN truth values, not text")
        made = parts.cast(part.node, parts.plain_type(BOOLEAN), attempt=True)
        return parts.over([part], made, BOOLEAN)

    # -- leaves

    def _column(self, node: Node, depth: int) -> Part:
        names = node["column_names"]
        name = names[0].lower() if len(names) == 1 and names[0].isascii() else ""
        if name not in self._facts:
            raise PolicyError(
                "names a column that is not a fact (write it without a table);"
                f" the facts are {', '.join(self._facts)}"
            )
        self.facts.add(name)
        made = parts.node("COLUMN_REF", "COLUMN_REF", column_names=[name])
        width = _ID_WIDTH if name in _IDS else _WORD_WIDTH
        return Part(made, self._facts[name], width, steady=name == "arrived_at")

    def _constant(self, node: Node, depth: int) -> Part:
        value = node["value"]
        number, type_ = value.get("value"), value["type"]["id"]
        if type_ not in CONSTANTS:
            raise PolicyError(_PLAIN_ONLY)
        if isinstance(number, float) and not math.isfinite(number):
            raise PolicyError("holds a number that is too large for a DOUBLE")
        # Booleans and doubles have no literal of their own in the SQL that DuckDB writes.
        if isinstance(number, bool):
            literal = parts.text("t" if number else "f")
            return Part(parts.cast(literal, parts.plain_type(BOOLEAN), attempt=False), BOOLEAN)
        if isinstance(number, float):
            literal = parts.text(repr(number))
            return Part(parts.cast(literal, parts.plain_type("DOUBLE"), attempt=False), NUMBER)
        made = parts.node("CONSTANT", "VALUE_CONSTANT", value=value)
        if value["is_null"]:
            return Part(made, NULL)
        width = len(number.encode()) if isinstance(number, str) else parts.PLAIN_WIDTH
        most = abs(number) if isinstance(number, int) and type_ in SMALL_INTEGERS else None
        return Part(made, _kind(type_), width, most=most)

    def _cast(self, node: Node, depth: int) -> Part:
        target = node["cast_type"]
        literal = node["child"].get("class") == "CONSTANT"
        if target["id"] not in CASTS and not (target["id"] == "INTERVAL" and literal):
            raise PolicyError(
                "must cast only to BOOLEAN, an integer type, DOUBLE, DECIMAL, VARCHAR,"
                " DATE or TIMESTAMP (INTERVAL: only a literal)"
            )
        if target["id"] != "DECIMAL" and target.get("type_info"):
            raise PolicyError(_PLAIN_ONLY)
        kind = _kind(target["id"])
        child = self.value(node["child"], depth)
        if kind in (TIMESTAMP, DATE) and child.kind == TEXT:
            return kinds.as_kind(child, kind, attempt=bool(node["try_cast"]))
        if kind in (TIMESTAMP, DATE) and child.kind not in (TIMESTAMP, DATE, NULL):
            raise PolicyError(f"must cast to {kind} only an instant, a date or a literal")
        attempt = bool(node["try_cast"]) if literal else True
        made = parts.cast(child.node, target, attempt=attempt)
        if literal:
            return Part(made, kind, child.width)
        width = child.width if child.kind == TEXT and kind == TEXT else 0
        work = function.reading_work(child)
        steady = child.steady and kind in (TIMESTAMP, DATE)
        return replace(parts.over([child], made, kind, work=work, width=width), steady=steady)

    # -- logic

    def _comparison(self, node: Node, depth: int) -> Part:
        kind = node["type"]
        if kind not in COMPARISONS:
            raise PolicyError(_PLAIN_ONLY)
        children = [self.value(node[side], depth) for side in ("left", "right")]
        return self._compared(kind, children)

    def _compared(self, kind: str, children: list[Part]) -> Part:
        return kinds.alike(
            children,
            lambda nodes: parts.node("COMPARISON", kind, left=nodes[0], right=nodes[1]),
            BOOLEAN,
        )

    def _between(self, node: Node, depth: int) -> Part:
        children = [self.value(node[side], depth) for side in ("input", "lower", "upper")]
        _, children = kinds.unified(children)
        part = kinds.alike(
            children,
            lambda nodes: parts.node(
                "BETWEEN", "COMPARE_BETWEEN", input=nodes[0], lower=nodes[1], upper=nodes[2]
            ),
            BOOLEAN,
        )
        # DuckDB makes two comparisons of BETWEEN, each with a copy of the left operand.
        return parts.more(part, size=children[0].size, work=children[0].work)

    def _conjunction(self, node: Node, depth: int) -> Part:
        children = [self.truth(child, depth) for child in node["children"]]
        made = parts.node("CONJUNCTION", node["type"], children=[part.node for part in children])
        return parts.over(children, made, BOOLEAN)

    def _operator(self, node: Node, depth: int) -> Part:
        kind, children = node["type"], node["children"]
        if kind == "OPERATOR_NOT":
            child = self.truth(children[0], depth)
            return parts.over([child], parts.negation(child.node), BOOLEAN)
        if kind in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
            child = self.value(children[0], depth)
            made = parts.node("OPERATOR", kind, children=[child.node])
            return parts.over([child], made, BOOLEAN)
        if kind == "OPERATOR_TRY":
            return parts.guarded(self.value(children[0], depth))
        if kind not in ("COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE"):
            raise PolicyError(_PLAIN_ONLY)
        _, checked = kinds.unified([self.value(child, depth) for child in children])
        part = kinds.alike(
            checked,
            lambda nodes: parts.node("OPERATOR", kind, children=nodes),
            "" if kind == "OPERATOR_COALESCE" else BOOLEAN,
        )
        if kind == "OPERATOR_COALESCE" or all(child.constant for child in checked[1:]):
            return part
        # DuckDB compares with each element by itself, with a copy of the left operand.
        copies = len(checked) - 2
        return parts.more(part, size=copies * checked[0].size, work=copies * checked[0].work)

    def _case(self, node: Node, depth: int) -> Part:
        whens = [self.truth(check["when_expr"], depth) for check in node["case_checks"]]
        thens = [self.value(check["then_expr"], depth) for check in node["case_checks"]]
        kind, thens = kinds.unified([*thens, self.value(node["else_expr"], depth)])
        return self._chosen(kind, whens, thens)

    def _chosen(self, kind: str, whens: list[Part], thens: list[Part]) -> Part:
        checks = [
            {"when_expr": when.node, "then_expr": then.node}
            for when, then in zip(whens, thens[:-1], strict=True)
        ]
        made = parts.node("CASE", "CASE_EXPR", case_checks=checks, else_expr=thens[-1].node)
        width = max(then.width for then in thens)
        part = parts.over([*whens, *thens], made, kind, width=width)
        return part if kinds.is_safe(thens) else parts.guarded(part)

    # -- functions

    def _function(self, node: Node, depth: int) -> Part:
        name = node["function_name"].lower()
        if node["schema"] not in ("", "main") or node["catalog"]:
            raise PolicyError("must name functions without a schema")
        if name not in FUNCTIONS:
            named = f"{name}()" if name in self._known_functions else "an unknown function"
            raise PolicyError(
                f"must not use {named}; the functions for rules are plain and deterministic: "
                + ", ".join(sorted(f for f in FUNCTIONS if f.isidentifier()))
            )
        if node["distinct"] or node["filter"] or node["order_bys"]["orders"]:
            raise PolicyError("must not use DISTINCT, FILTER or ORDER BY in a function")
        children = [self.value(child, depth) for child in node["children"]]
        if name == "nullif":
            return self._nullif(children)
        for index in LITERAL_ARGUMENTS.get(name, ()):
            if index < len(children) and not children[index].literal:
                raise PolicyError(f"must give {name}() a literal as argument {index + 1}")
        return function.call(name, children)

    def _nullif(self, children: list[Part]) -> Part:
        # DuckDB's nullif is a macro that repeats its first argument: nested, it doubles each time.
        if len(children) != 2 or children[0].node["class"] != "COLUMN_REF":
            raise PolicyError("must give nullif() a fact and one more argument")
        first = children[0]
        nothing = {"type": parts.plain_type("NULL"), "is_null": True}
        null = Part(parts.node("CONSTANT", "VALUE_CONSTANT", value=nothing), NULL)
        same = self._compared("COMPARE_EQUAL", children)
        return self._chosen(first.kind, [same], [null, first])


def _kind(type_name: str) -> str:
    """Return the kind of the values of a type."""
    if type_name in SMALL_INTEGERS:
        return INTEGER
    return type_name if type_name in _KINDS else NUMBER


_KINDS: Final = frozenset({BOOLEAN, TEXT, TIMESTAMP, DATE, "INTERVAL"})
_TOO_LARGE: Final = (
    f"is too large: at most {DEPTH_MAX} levels and {NODES_MAX} parts in one rule, and BETWEEN and"
    " IN count as the comparisons that they stand for, with what is compared in each"
)
TOO_MUCH_WORK: Final = (
    "may take too long: lower(), upper(), reverse() and regular expressions over ids, and steps"
    " that can fail (arithmetic, comparing text with numbers) weigh most, and more within"
    " COALESCE, CASE, IS NULL and TRY; leave some out, or write them without"
)
_PLAIN_ONLY: Final = (
    "must be made of facts, literals, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, CASE,"
    " casts and plain functions only"
)
_NOT_ALLOWED: Final[Mapping[str, str]] = {
    "SUBQUERY": "must not hold a subquery",
    "WINDOW": "must not hold a window function",
    "STAR": "must not hold * or COLUMNS()",
    "PARAMETER": "must not hold parameters (?, $1)",
    "LAMBDA": "must not hold a lambda or ->",
    "COLLATE": "must not hold COLLATE",
    "POSITIONAL_REFERENCE": "must not hold positional references (#1)",
}

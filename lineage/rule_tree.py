"""What a rule may be made of: a walk over DuckDB's syntax tree that builds a new one.

Only what is listed here gets into the new tree; all else is a PolicyError. The new tree also
means the same wherever it is evaluated: every step that could fail at run time gives null
instead (TRY, TRY_CAST), step by step. Around the whole rule alone it would not do: whether
`a AND b` fails when `a` is false and `b` fails depends on what DuckDB's optimizer knows of the
other rows in the batch, so a flag could depend on how events were batched.

The shapes of the nodes are those of `json_serialize_sql` in DuckDB 1.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from lineage.errors import PolicyError
from lineage.rule_words import (
    CASTS,
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    LITERAL_ARGUMENTS,
    OPERATORS,
    TEXT_TO_TEXT,
    TEXT_TO_TRUTH,
    TOTAL,
)

Node = dict[str, Any]  # a node of DuckDB's syntax tree; its shape is checked key by key

DEPTH_MAX: Final = 100
NODES_MAX: Final = 4096


class Rewrite:
    """One walk. After `rule`: `facts` are the facts named, `literals` the typed ones.

    known_functions: what DuckDB has, so that a reason can name a function it refuses without
    ever repeating text that is no function's name.
    """

    def __init__(self, facts: Mapping[str, str], known_functions: frozenset[str]) -> None:
        self._facts = facts
        self._known_functions = known_functions
        self._nodes = 0
        self.facts: set[str] = set()
        self.literals: list[Node] = []
        self._build: dict[str, Callable[[Node, int], Node]] = {
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

    def value(self, node: Node, depth: int = 0) -> Node:
        """Give the checked form of a node, of any type."""
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise PolicyError(
                f"is too large: at most {DEPTH_MAX} levels and {NODES_MAX} parts in one rule"
            )
        build = self._build.get(node.get("class", ""))
        if build is None:
            raise PolicyError(_NOT_ALLOWED.get(node.get("class", ""), _PLAIN_ONLY))
        if node.get("alias"):
            raise PolicyError("must be one expression without a name (AS, :=)")
        return build(node, depth + 1)

    def rule(self, node: Node) -> Node:
        """Give the checked form of a whole rule: nothing that it does can fail."""
        return _try(self.value(node))

    def truth(self, node: Node, depth: int) -> Node:
        """Give the checked form of a node where AND, OR, NOT or WHEN need a truth value."""
        checked = self.value(node, depth)
        found = self._type(checked)
        if found == "BOOLEAN":
            return checked
        if found == "VARCHAR":
            raise PolicyError("must give AND, OR, NOT and WHEN truth values, not text")
        return _cast(checked, _plain("BOOLEAN"), attempt=True)

    # -- leaves

    def _column(self, node: Node, depth: int) -> Node:
        names = node["column_names"]
        name = names[0].lower() if len(names) == 1 and names[0].isascii() else ""
        if name not in self._facts:
            raise PolicyError(
                "names a column that is not a fact (write it without a table);"
                f" the facts are {', '.join(self._facts)}"
            )
        self.facts.add(name)
        return _node("COLUMN_REF", "COLUMN_REF", column_names=[name])

    def _constant(self, node: Node, depth: int) -> Node:
        value = node["value"]
        number = value.get("value")
        if value["type"]["id"] not in CONSTANTS:
            raise PolicyError(_PLAIN_ONLY)
        if isinstance(number, float) and not math.isfinite(number):
            raise PolicyError("holds a number that is too large for a DOUBLE")
        # These two have no literal of their own in the SQL that DuckDB writes.
        if isinstance(number, bool):
            return _cast(_text("t" if number else "f"), _plain("BOOLEAN"), attempt=False)
        if isinstance(number, float):
            return _cast(_text(repr(number)), _plain("DOUBLE"), attempt=False)
        return _node("CONSTANT", "VALUE_CONSTANT", value=value)

    def _cast(self, node: Node, depth: int) -> Node:
        target = node["cast_type"]
        literal = node["child"].get("class") == "CONSTANT"
        if target["id"] not in CASTS and not (target["id"] == "INTERVAL" and literal):
            raise PolicyError(
                "must cast only to BOOLEAN, an integer type, DOUBLE, DECIMAL, VARCHAR,"
                " DATE or TIMESTAMP (INTERVAL: only a literal)"
            )
        if target["id"] != "DECIMAL" and target.get("type_info"):
            raise PolicyError(_PLAIN_ONLY)
        child = self.value(node["child"], depth)
        if not literal:
            return _cast(child, target, attempt=True)
        return self._literal(child, target, attempt=bool(node["try_cast"]))

    def _literal(self, child: Node, target: Node, *, attempt: bool = False) -> Node:
        made = _cast(child, target, attempt=attempt)
        self.literals.append(made)
        return made

    # -- logic

    def _comparison(self, node: Node, depth: int) -> Node:
        if node["type"] not in COMPARISONS:
            raise PolicyError(_PLAIN_ONLY)
        left, right = self._alike([node["left"], node["right"]], depth)
        made = _node("COMPARISON", node["type"], left=left, right=right)
        return self._unless_alike(made, [left, right])

    def _between(self, node: Node, depth: int) -> Node:
        parts = self._alike([node["input"], node["lower"], node["upper"]], depth)
        made = _node("BETWEEN", "COMPARE_BETWEEN", input=parts[0], lower=parts[1], upper=parts[2])
        return self._unless_alike(made, parts)

    def _conjunction(self, node: Node, depth: int) -> Node:
        children = [self.truth(child, depth) for child in node["children"]]
        return _node("CONJUNCTION", node["type"], children=children)

    def _operator(self, node: Node, depth: int) -> Node:
        kind, children = node["type"], node["children"]
        if kind == "OPERATOR_NOT":
            return _node("OPERATOR", kind, children=[self.truth(children[0], depth)])
        if kind in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
            return _node("OPERATOR", kind, children=[self.value(children[0], depth)])
        if kind == "OPERATOR_TRY":
            return _try(self.value(children[0], depth))
        if kind in ("COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE"):
            parts = self._alike(children, depth)
            return self._unless_alike(_node("OPERATOR", kind, children=parts), parts)
        raise PolicyError(_PLAIN_ONLY)

    def _case(self, node: Node, depth: int) -> Node:
        checks = [
            {
                "when_expr": self.truth(check["when_expr"], depth),
                "then_expr": self.value(check["then_expr"], depth),
            }
            for check in node["case_checks"]
        ]
        otherwise = self.value(node["else_expr"], depth)
        made = _node("CASE", "CASE_EXPR", case_checks=checks, else_expr=otherwise)
        return self._unless_alike(made, [*(check["then_expr"] for check in checks), otherwise])

    # -- functions

    def _function(self, node: Node, depth: int) -> Node:
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
            if index < len(children) and children[index]["class"] != "CONSTANT":
                raise PolicyError(f"must give {name}() a literal as argument {index + 1}")
        made = _node(
            "FUNCTION", "FUNCTION", function_name=name, schema="", catalog="", children=children,
            filter=None, order_bys={"type": "ORDER_MODIFIER", "orders": []}, distinct=False,
            is_operator=name in OPERATORS, export_state=False,
        )  # fmt: skip
        return made if name in TOTAL else _try(made)

    def _nullif(self, children: list[Node]) -> Node:
        # In DuckDB it is a macro that repeats its first argument: nested, it doubles each time.
        if len(children) != 2 or children[0]["class"] != "COLUMN_REF":
            raise PolicyError("must give nullif() a fact and one more argument")
        first, second = children
        same = _node("COMPARISON", "COMPARE_EQUAL", left=first, right=second)
        nothing = {"type": _plain("NULL"), "is_null": True}
        check = {
            "when_expr": self._unless_alike(same, children),
            "then_expr": _node("CONSTANT", "VALUE_CONSTANT", value=nothing),
        }
        return _node("CASE", "CASE_EXPR", case_checks=[check], else_expr=first)

    # -- types, as far as they can be told without binding

    def _alike(self, nodes: list[Node], depth: int) -> list[Node]:
        """Check parts that are compared with each other; text among instants becomes an instant."""
        parts = [self.value(node, depth) for node in nodes]
        types = {self._type(part) for part in parts} - {"VARCHAR", None}
        if len(types) != 1 or (target := types.pop()) not in ("TIMESTAMP", "DATE", "BOOLEAN"):
            return parts
        return [
            self._literal(part, _plain(target))
            if part["class"] == "CONSTANT" and self._type(part) == "VARCHAR"
            else part
            for part in parts
        ]

    def _unless_alike(self, made: Node, parts: list[Node]) -> Node:
        """Guard a node whose parts DuckDB may have to cast to a common type, which can fail."""
        types = {self._type(part) for part in parts if not _is_null(part)}
        return made if len(types) <= 1 and None not in types else _try(made)

    def _type(self, node: Node) -> str | None:
        kind = node["class"]
        if kind == "COLUMN_REF":
            return self._facts[node["column_names"][0]]
        if kind == "CAST":
            return str(node["cast_type"]["id"])
        if kind == "CONSTANT":
            return "VARCHAR" if node["value"]["type"]["id"] == "VARCHAR" else None
        if node["type"] == "OPERATOR_TRY":
            return self._type(node["children"][0])
        if kind == "FUNCTION":
            name = node["function_name"]
            if name in TEXT_TO_TEXT:
                return "VARCHAR"
            return "BOOLEAN" if name in TEXT_TO_TRUTH else None
        boolean = kind in ("COMPARISON", "CONJUNCTION", "BETWEEN")
        boolean |= kind == "OPERATOR" and node["type"] != "OPERATOR_COALESCE"
        return "BOOLEAN" if boolean else None


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


def _node(kind: str, operation: str, **parts: object) -> Node:
    return {"class": kind, "type": operation, "alias": "", "query_location": 0, **parts}


def _plain(type_name: str) -> Node:
    return {"id": type_name, "type_info": None}


def _text(value: str) -> Node:
    constant = {"type": _plain("VARCHAR"), "is_null": False, "value": value}
    return _node("CONSTANT", "VALUE_CONSTANT", value=constant)


def _try(child: Node) -> Node:
    if child["type"] == "OPERATOR_TRY":
        return child
    return _node("OPERATOR", "OPERATOR_TRY", children=[child])


def _cast(child: Node, target: Node, *, attempt: bool) -> Node:
    return _node("CAST", "OPERATOR_CAST", child=child, cast_type=target, try_cast=attempt)


def _is_null(node: Node) -> bool:
    return node["class"] == "CONSTANT" and bool(node["value"]["is_null"])

"""Bounds on the growth of a query: of DuckDB's plan, and of the values in its answer.

DuckDB copies the definition of a name, the body of a macro or the input of BETWEEN to each place of
use, and plans a subquery again for each level of its depth. So a text of a kilobyte can become a
plan that no memory holds, and nothing can interrupt the planning. The same holds for values: thirty
subqueries that each double a text make a gigabyte of it. So both are counted here first, roughly
and from above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lineage.audit.select_check.arguments import arguments_of, literal
from lineage.audit.select_check.functions import JOINING, REPEATING, STRETCHING
from lineage.audit.select_check.shapes import Node
from lineage.errors import QueryError

QUERIES_DEEP_MAX: Final = 16
SUBQUERIES_DEEP_MAX: Final = 6
COLUMNS_MAX: Final = 10_000
PARTS_MAX: Final = 100_000
GROWTH_MAX: Final = 1_000
_TABLE_COLUMNS: Final = 30  # no table has more
_VALUE_BYTES: Final = 256  # a text of the question counts as so many for one value of a table


@dataclass(frozen=True)
class Extent:
    """The size of a relation.

    deep: levels of queries that are planned as one. growth: the size of the largest value, in
    multiples of a value of a table.
    """

    deep: int = 0
    columns: int = 0
    growth: float = 1


@dataclass
class Scope:
    """The names in sight of an expression: those of the relation it reads, and aliases so far."""

    source: Extent
    ctes: Mapping[str, Extent]
    level: int  # of subqueries in expressions
    aliases: dict[str, tuple[int, float]] = field(default_factory=dict)
    deep: int = 0


class Bounds:
    """One count of one statement."""

    def __init__(self) -> None:
        self._parts = 0

    def check(self, node: Node) -> None:
        """Raise QueryError if the query would grow beyond the bounds."""
        self._query(node, {}, 0)

    def _query(
        self, node: Node, ctes: Mapping[str, Extent], level: int, outer: float = 1
    ) -> Extent:
        ctes = dict(ctes)
        for entry in node["cte_map"]["map"]:
            made = self._query(entry["value"]["query"]["node"], ctes, level, outer)
            if entry["value"].get("materialized") == "CTE_MATERIALIZE_ALWAYS":
                made = Extent(0, made.columns, made.growth)
            ctes[entry["key"].lower()] = made
        if node["type"] == "SELECT_NODE":
            return self._select(node, ctes, level, outer)
        left = self._query(node["left"], ctes, level, outer)
        if node["type"] == "RECURSIVE_CTE_NODE":
            ctes[node["cte_name"].lower()] = left
        right = self._query(node["right"], ctes, level, outer)
        self._size(node["modifiers"], Scope(left, ctes, level))
        return _widest(left, right)

    def _select(self, node: Node, ctes: Mapping[str, Extent], level: int, outer: float) -> Extent:
        source = self._table(node["from_table"], ctes, level)
        source = Extent(source.deep, source.columns, max(source.growth, outer))
        scope = Scope(source, ctes, level)
        columns, growth = 0, 1.0
        for item in node["select_list"]:
            size, grown = self._expression(item, scope)
            times = source.columns if _stars(item) else 1
            columns += times
            size *= max(1, times)
            growth = max(growth, grown)
            if item.get("alias"):
                scope.aliases[item["alias"].lower()] = (size, grown)
            self._add(size)
        rest = ("where_clause", "group_expressions", "having", "qualify", "modifiers")
        self._size([node[name] for name in rest], scope)
        made = Extent(1 + max(source.deep, scope.deep), columns, growth)
        if made.deep > QUERIES_DEEP_MAX:
            raise QueryError(
                f"the question nests queries more than {QUERIES_DEEP_MAX} deep; WITH name AS"
                " MATERIALIZED (…) begins anew"
            )
        if made.columns > COLUMNS_MAX:
            raise QueryError(f"a query may have at most {COLUMNS_MAX:,} columns")
        if made.growth > GROWTH_MAX:
            raise QueryError(
                "the question joins texts or lists again and again to ever longer ones; at most"
                f" {GROWTH_MAX:,} times as long as what is in the tables is allowed"
            )
        return made

    # -- relations

    def _table(self, node: Node, ctes: Mapping[str, Extent], level: int) -> Extent:
        kind = node["type"]
        if kind == "BASE_TABLE":
            own = ctes.get(node["table_name"].lower()) if not node["schema_name"] else None
            return own or Extent(0, _TABLE_COLUMNS)
        if kind == "SUBQUERY":
            return self._query(node["subquery"]["node"], ctes, level)
        if kind == "JOIN":
            left = self._table(node["left"], ctes, level)
            right = self._table(node["right"], ctes, level + (node["ref_type"] == "DEPENDENT"))
            both = _widest(left, right)
            made = Extent(both.deep, left.columns + right.columns, both.growth)
            self._size(node["condition"], Scope(made, ctes, level))
            return made
        if kind == "PIVOT":
            source = self._table(node["source"], ctes, level)
            self._size([node["aggregates"], node["pivots"]], Scope(source, ctes, level))
            return Extent(source.deep + 1, source.columns + _pivoted(node), source.growth)
        if kind == "SHOW_REF" and node["query"]:
            asked = node["query"]
            inner = self._query if "cte_map" in asked else self._table
            return inner(asked, ctes, level)
        scope = Scope(Extent(), ctes, level)
        if kind == "EXPRESSION_LIST":
            width = max((len(row) for row in node["values"]), default=0)
            growth = max((self._size(row, scope) for row in node["values"]), default=1.0)
            return Extent(scope.deep, width, max(growth, 1.0))
        if kind == "TABLE_FUNCTION":
            growth = self._size(node["function"]["children"], scope)
            return Extent(scope.deep, _TABLE_COLUMNS, max(growth, 1.0))
        return Extent(0, 1)

    # -- expressions

    def _size(self, node: Any, scope: Scope) -> float:  # noqa: ANN401 - JSON of any shape
        """Count the parts of all expressions in a node, and return the growth of the largest."""
        growth = 0.0
        if isinstance(node, dict) and "class" in node:
            size, growth = self._expression(node, scope)
            self._add(size * max(1, scope.source.columns if _stars(node) else 1))
        elif isinstance(node, (dict, list)):
            items = node.values() if isinstance(node, dict) else node
            growth = max((self._size(item, scope) for item in items), default=0.0)
        return growth

    def _add(self, size: int) -> None:
        self._parts += size
        if self._parts > PARTS_MAX:
            raise QueryError(
                "the question repeats its own parts too often: names of columns, nullif() and"
                " BETWEEN stand for all that they are made of wherever they are used"
            )

    def _expression(self, node: Node, scope: Scope) -> tuple[int, float]:
        """Return the number of parts of an expression, and the growth of its value."""
        kind = node["class"]
        if kind == "COLUMN_REF":
            return self._column(node, scope)
        if kind == "CONSTANT":
            return 1, len(str(node["value"].get("value") or "")) / _VALUE_BYTES
        if kind == "PARAMETER":
            return 1, 1.0
        if kind == "STAR":
            size = sum(self._expression(e, scope)[0] for e in _expressions(node))
            return size + 1, scope.source.growth
        if kind == "SUBQUERY":
            return self._subquery(node, scope)
        parts = arguments_of(node) if kind == "FUNCTION" else list(_expressions(node))
        counted = [self._expression(part, scope) for part in parts]
        if kind == "FUNCTION":
            counted += [self._expression(p, scope) for p in _expressions(node, besides="children")]
        size = 1 + sum(each for each, _ in counted)
        size *= REPEATING.get(node.get("function_name", ""), 3 if kind == "BETWEEN" else 1)
        if size > PARTS_MAX:
            self._add(size)
        return size, _growth(node, [each for _, each in counted])

    def _column(self, node: Node, scope: Scope) -> tuple[int, float]:
        for name in node["column_names"]:
            if name.lower() in scope.aliases:
                size, growth = scope.aliases[name.lower()]
                return size, max(growth, scope.source.growth)
        return 1, scope.source.growth

    def _subquery(self, node: Node, scope: Scope) -> tuple[int, float]:
        level = scope.level + 1
        if level > SUBQUERIES_DEEP_MAX:
            raise QueryError(
                f"subqueries in expressions may lie {SUBQUERIES_DEEP_MAX} deep; write them as joins"
            )
        grown = max([scope.source.growth, *(growth for _, growth in scope.aliases.values())])
        made = self._query(node["subquery"]["node"], scope.ctes, level, grown)
        scope.deep = max(scope.deep, made.deep)
        size = self._expression(node["child"], scope)[0] if node["child"] else 0
        return size + 1, made.growth


def _growth(node: Node, parts: list[float]) -> float:
    name = node.get("function_name", "").lower()
    if name in ("replace", "regexp_replace") and len(parts) >= 3:
        return parts[0] * _replaced(name, node, parts)
    if any(part["class"] == "LAMBDA" for part in node.get("children", ())):
        return parts[0] * max(1.0, *parts[1:]) if len(parts) > 1 else parts[0]
    if name == "repeat":
        return max(1.0, parts[0] * 1_000)
    if name in STRETCHING:
        return sum(parts) * STRETCHING[name]
    if name in JOINING:
        return sum(parts)
    return max(parts, default=0.0)


def _replaced(name: str, node: Node, parts: list[float]) -> float:
    """Return the factor by which a text may grow when parts of it are replaced."""
    found, new = (literal(part) for part in arguments_of(node)[1:3])
    if not isinstance(new, str):
        return max(1.0, parts[2] * _VALUE_BYTES)
    least = len(found) if isinstance(found, str) and name == "replace" else 1
    return max(1.0, (len(new) + (least == 0)) / max(1, least))


def _expressions(node: Any, besides: str = "") -> list[Node]:  # noqa: ANN401 - JSON of any shape
    """Return the expressions directly below a node, in any of its fields."""
    found: list[Node] = []
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, item in items:
        if key == besides:
            continue
        if isinstance(item, dict) and "class" in item:
            found.append(item)
        elif isinstance(item, (dict, list)):
            found += _expressions(item)
    return found


def _stars(node: Node) -> int:
    if node["class"] == "STAR":
        return 1
    if node["class"] == "SUBQUERY":
        return 0
    return sum(_stars(part) for part in _expressions(node))


def _pivoted(node: Node) -> int:
    """Count the columns of a PIVOT: each combination of its values, for each aggregate."""
    columns = max(1, len(node["aggregates"]))
    for pivot in node["pivots"]:
        columns *= max(1, len(pivot["entries"]))
    return columns


def _widest(*extents: Extent) -> Extent:
    return Extent(
        max(each.deep for each in extents),
        max(each.columns for each in extents),
        max(each.growth for each in extents),
    )

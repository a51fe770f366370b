"""Checks a query's syntax tree: every node has a known shape, and names only allowed objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from lineage.audit.select_check.arguments import Arguments, arguments_of
from lineage.audit.select_check.functions import (
    AGGREGATES,
    INTERNAL_VIEWS,
    SCALARS,
    TABLE_FUNCTIONS,
    TABLE_MACROS,
    TYPE_NAMES,
    WINDOWS,
    names_of,
)
from lineage.audit.select_check.shapes import UNKNOWN, Node, kind_of
from lineage.database.schema.codes import LABELS
from lineage.errors import QueryError

DEPTH_MAX: Final = 150
NODES_MAX: Final = 150_000
WINDOWS_MAX: Final = 100
SET_OPERATIONS_MAX: Final = 200
GROUPING_SETS_MAX: Final = 256
JOINS_MAX: Final = 60
_SAMPLE_ROWS_MAX: Final = 1_000_000
_ARRAY_MAX: Final = 1_000
MACROS: Final = frozenset(f"{name}_{kind}" for name in LABELS for kind in ("label", "code"))
"""The tracker's own scalar macros, all in the schema core."""
_OPERATORS: Final = names_of("""
    OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE OPERATOR_TRY
    OPERATOR_UNPACK COMPARE_IN COMPARE_NOT_IN ARRAY_EXTRACT ARRAY_SLICE STRUCT_EXTRACT
    ARRAY_CONSTRUCTOR GROUPING_FUNCTION
""")
_SHOWN: Final = ("", '"tables"', '"databases"', "__show_tables_expanded")


class TreeCheck:
    """One walk over the tree of one statement. After `walk`, every node is known and allowed.

    relations: (schema, name) of all tables and views. database: its name.
    values: of the parameters, by their names. known: says whether DuckDB has a function of a name.
    """

    def __init__(
        self,
        relations: frozenset[tuple[str, str]],
        database: str,
        values: Mapping[str, object],
        known: Callable[[str], bool],
    ) -> None:
        self._relations = relations | INTERNAL_VIEWS
        self._catalogs = {"", "system", database.lower()}
        self._arguments = Arguments(values)
        self._known = known
        self._nodes = 0
        self._counts = {"WINDOW": 0, "SET_OPERATION_NODE": 0, "JOIN": 0}
        self._in_lambda = False
        self._own: frozenset[str] = frozenset()  # names of common table expressions in sight
        self._checks: Mapping[str, Callable[[Node], None]] = {
            "FUNCTION": self._check_function,
            "WINDOW": self._check_window,
            "OPERATOR": _check_operator,
            "BASE_TABLE": self._check_table,
            "TABLE_FUNCTION": self._check_table_function,
            "SHOW_REF": _check_show,
            "SELECT_NODE": _check_select,
            "UNBOUND_TYPE_INFO": _check_named_type,
            "ARRAY_TYPE_INFO": _check_array_type,
        }

    def walk(self, node: Any, depth: int = 0) -> None:  # noqa: ANN401 - JSON of any shape
        """Check a part of the tree. Raises QueryError for a node that is not allowed."""
        if isinstance(node, list):
            for item in node:
                self.walk(item, depth)
        elif isinstance(node, dict):
            self._walk_node(node, depth + ("class" in node))

    def _walk_node(self, node: Node, depth: int) -> None:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise QueryError(
                f"the question is too large: at most {DEPTH_MAX} levels of expressions and"
                f" {NODES_MAX:,} parts are allowed"
            )
        kind = kind_of(node)
        self._count(kind)
        own, in_lambda = self._own, self._in_lambda
        self._own |= _own_names(kind, node)
        if kind == "LAMBDA":
            if in_lambda:
                raise QueryError(
                    "a lambda inside another is not allowed; put the lists into rows with unnest()"
                    " and join them"
                )
            self._in_lambda = True
        if check := self._checks.get(kind):
            check(node)
        # The function of a table function has been checked as such.
        parts = {**node, **node["function"]} if kind == "TABLE_FUNCTION" else node
        for field, value in parts.items():
            if field != "function":
                self.walk(value, depth)
        self._own, self._in_lambda = own, in_lambda

    def _count(self, kind: str) -> None:
        if kind in self._counts:
            self._counts[kind] += 1
        for counted, most, name in (
            ("WINDOW", WINDOWS_MAX, "window functions"),
            ("SET_OPERATION_NODE", SET_OPERATIONS_MAX, "UNIONs"),
            ("JOIN", JOINS_MAX, "joins"),
        ):
            if self._counts[counted] > most:
                raise QueryError(f"at most {most} {name} are allowed in one question")

    def _check_table(self, node: Node) -> None:
        if node["at_clause"] is not None:
            raise QueryError("AT is not allowed: the database keeps no versions of its tables")
        catalog = node["catalog_name"].lower()
        schema, name = node["schema_name"].lower(), node["table_name"].lower()
        if not schema and not catalog and name in self._own:
            return
        # `database.table` has the name of the database where a schema stands.
        schemas = ["main"] if schema in self._catalogs else [schema]
        if catalog not in self._catalogs or not any((s, name) in self._relations for s in schemas):
            raise QueryError(
                "the question names a table that is not there; only the tables of the database"
                " can be read, no files and no variables, and SHOW ALL TABLES lists them"
            )

    def _check_table_function(self, node: Node) -> None:
        function = node["function"]
        name, schema = function["function_name"].lower(), function["schema"].lower()
        allowed = schema in ("", "main") and name in TABLE_FUNCTIONS | TABLE_MACROS
        allowed |= (schema, name) == ("core", "key_of")
        if kind_of(function) != "FUNCTION" or function["catalog"].lower() not in self._catalogs:
            raise QueryError(UNKNOWN)
        if not allowed:
            raise QueryError(
                f"{self._named(name)} is not allowed as a table; allowed are "
                + ", ".join(sorted(TABLE_MACROS | TABLE_FUNCTIONS))
            )

    def _check_function(self, node: Node) -> None:
        name, schema = node["function_name"].lower(), node["schema"].lower()
        if not (schema == "core" and name in MACROS) and name not in SCALARS | AGGREGATES:
            raise QueryError(
                f"{self._named(name)} is not allowed in a question; the functions for text,"
                " numbers, instants, lists, structs and JSON are, and the aggregates"
            )
        if node["export_state"]:
            raise QueryError("EXPORT_STATE is not allowed")
        self._arguments.check(name, arguments_of(node))

    def _check_window(self, node: Node) -> None:
        name = node["function_name"].lower()
        if name not in WINDOWS | AGGREGATES or node["schema"].lower() not in ("", "main"):
            raise QueryError(f"{self._named(name)} is not allowed as a window function")
        self._arguments.check(name, node["children"])

    def _named(self, name: str) -> str:
        return f"{name}()" if self._known(name) else "an unknown function"


def _own_names(kind: str, node: Node) -> frozenset[str]:
    names = {node["cte_name"].lower()} if kind == "RECURSIVE_CTE_NODE" else set()
    if "cte_map" in node:
        names |= {entry["key"].lower() for entry in node["cte_map"]["map"]}
    return frozenset(names)


def _check_select(node: Node) -> None:
    if len(node["group_sets"]) > GROUPING_SETS_MAX:
        raise QueryError(f"at most {GROUPING_SETS_MAX} grouping sets are allowed")
    for sample in (node["sample"], node["from_table"].get("sample")):
        if sample and not sample["is_percentage"]:
            rows = sample["sample_size"].get("value")
            if not isinstance(rows, (int, float)) or rows > _SAMPLE_ROWS_MAX:
                raise QueryError(f"a sample may have at most {_SAMPLE_ROWS_MAX:,} rows")


def _check_show(node: Node) -> None:
    if node["table_name"].lower() not in _SHOWN:
        raise QueryError("only SHOW TABLES, SHOW ALL TABLES and SHOW of a table are allowed")


def _check_operator(node: Node) -> None:
    if node["type"] not in _OPERATORS:
        raise QueryError(UNKNOWN)


def _check_named_type(node: Node) -> None:
    if node["name"].lower() not in TYPE_NAMES:
        raise QueryError("the question casts to a type that is not allowed or not there")


def _check_array_type(node: Node) -> None:
    size, child = node["size"], node["child_type"]
    while child["id"] == "ARRAY":
        size, child = size * child["type_info"]["size"], child["type_info"]["child_type"]
    if size > _ARRAY_MAX:
        raise QueryError(f"an array type may have at most {_ARRAY_MAX:,} elements; use a list")

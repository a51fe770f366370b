"""Rules: checks and rewrites SQL boolean expressions over the facts before they are run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from lineage.errors import PolicyError
from lineage.policy.rules.ast import Rewrite
from lineage.policy.rules.nodes import Node
from lineage.policy.rules.text import check_text

FACTS: Final[dict[str, str]] = {
    "message_id": "VARCHAR",
    "channel": "VARCHAR",
    "confidential": "BOOLEAN",
    "exempt_region": "BOOLEAN",
    "ai_training_consent": "BOOLEAN",
    "third_party_consent": "BOOLEAN",
    "dataset": "VARCHAR",
    "declared": "BOOLEAN",
    "kind": "VARCHAR",
    "party": "VARCHAR",
    "recipient": "VARCHAR",
    "operation": "VARCHAR",
    "identifiable": "BOOLEAN",
    "disclosed": "BOOLEAN",
    "arrived_at": "TIMESTAMP",
}
"""The facts that a rule can name, and their DuckDB types, one row an arrival."""

SEVERITIES: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")

# Longer than any tree that the walk would let through, and short enough to load at once.
_TREE_BYTES_MAX: Final = 1_500_000
# A rule that reads one of these cannot be evaluated once for many arrivals.
OF_ONE_ARRIVAL: Final = frozenset({"message_id", "arrived_at"})
_NOT_ONE_EXPRESSION: Final = "must be exactly one SQL boolean expression over the facts"


@dataclass(frozen=True)
class Rule:
    """A rule that has been checked.

    id, severity, when: as in the document.
    sql: the same expression, rewritten from its syntax tree: unqualified facts, a step that
        fails at run time gives null, BOOLEAN; null means not broken. The SQL can be put anywhere in
        a SELECT over a relation that has the columns of FACTS.
    facts: the names of the facts that the rule reads.
    """

    id: str
    severity: str
    when: str
    sql: str
    facts: frozenset[str]


@dataclass(frozen=True)
class Checked:
    """The result of a check: `sql` and `facts` as in Rule.

    size: the number of nodes of DuckDB's. work: the time for one arrival, in nanoseconds,
        estimated from above; see lineage.policy.rules.nodes.
    """

    sql: str
    facts: frozenset[str]
    size: int
    work: int


class RuleChecker:
    """Checks rules with a private in-memory DuckDB that can reach nothing. A context manager."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "enable_external_access": False,
                "autoload_known_extensions": False,
                "autoinstall_known_extensions": False,
                "lock_configuration": True,
            },
        )
        columns = ", ".join(f"{name} {type_}" for name, type_ in FACTS.items())
        self._connection.execute(f"CREATE TABLE facts ({columns})")
        # A row of nulls, and a row like any other, to run each rule once.
        self._connection.execute("INSERT INTO facts (message_id) VALUES (NULL)")
        self._connection.execute(
            "INSERT INTO facts VALUES ('m', 'INMAIL', true, true, true, true, 'd', true, 'MODEL',"
            " 'THIRD', 'r', 'COPY', true, true, TIMESTAMP '2024-09-18 00:00:00')"
        )
        names = self._connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()
        self._functions = frozenset(name for (name,) in names)

    def __enter__(self) -> RuleChecker:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def check(self, when: str) -> Checked:
        """Check one rule's text. Raises PolicyError, whose reason never quotes the text."""
        check_text(when)
        try:
            return self._check(when)
        except RecursionError:
            raise PolicyError("is nested too deeply") from None

    def _check(self, when: str) -> Checked:
        statement, enclosed = self._parse(f"SELECT {when}", f"SELECT ({when})")
        bare = _expression(statement)
        # Between parentheses only an expression means the same: no `x,`, `ALL x` or `x) or (y`.
        if _without_places(bare) != _without_places(_expression(enclosed)):
            raise PolicyError(_NOT_ONE_EXPRESSION)
        rewrite = Rewrite(FACTS, self._functions)
        part = rewrite.rule(bare)
        tree = part.node
        sql = self._render(statement, [tree])
        (again,) = self._parse(f"SELECT {sql}")
        if _without_places(_expression(again)) != _without_places(tree):
            raise PolicyError("cannot be written back as the same SQL; write it in a simpler way")
        self._check_literals(statement, list(_typed_literals(tree)))
        self._check_runs(sql)
        return Checked(sql, frozenset(rewrite.facts), part.size, part.work)

    def _parse(self, *queries: str) -> list[Node]:
        calls = ", ".join(f"json_serialize_sql({_quoted(query)})" for query in queries)
        answers: list[Node] = []
        for text in self._connection.execute(f"SELECT {calls}").fetchone() or ():
            if len(text) > _TREE_BYTES_MAX:
                raise PolicyError("is too large once parsed")
            answers.append(json.loads(text))
            if answers[-1]["error"]:
                raise PolicyError(_NOT_ONE_EXPRESSION)
        return answers

    def _render(self, statement: Node, trees: list[Node]) -> str:
        node = {**statement["statements"][0]["node"], "select_list": trees}
        changed = {**statement, "statements": [{"node": node, "named_param_map": []}]}
        call = f"json_deserialize_sql({_quoted(json.dumps(changed))})"
        row = self._connection.execute(f"SELECT {call}").fetchone()
        return str(row[0] if row else "").removeprefix("SELECT ")

    def _check_literals(self, statement: Node, literals: list[Node]) -> None:
        if not literals or self._runs(f"SELECT {self._render(statement, literals)}"):
            return
        for literal in literals:
            if not self._runs(f"SELECT {self._render(statement, [literal])}"):
                raise PolicyError(f"holds a literal that is no {literal['cast_type']['id']}")

    def _runs(self, query: str) -> bool:
        try:
            self._connection.execute(query).fetchall()
        except duckdb.Error:
            return False
        return True

    def _check_runs(self, sql: str) -> None:
        try:
            result = self._connection.execute(f"SELECT {sql} FROM facts")  # noqa: S608 - checked
            found = str(result.description[0][1]) if result.description else ""
            result.fetchall()
        except duckdb.Error:
            raise PolicyError(
                "does not fit together: types, the number of arguments of a function, a pattern"
                " or a part such as 'year' is not what DuckDB takes there"
            ) from None
        if found != "BOOLEAN":
            raise PolicyError(f"must be a BOOLEAN expression, not {found}")


def _typed_literals(node: Any) -> Iterator[Node]:  # noqa: ANN401 - JSON of any shape
    """Yield the literals of a checked tree that are cast to a type, and so must be valid in it."""
    if isinstance(node, dict):
        if node.get("class") == "CAST" and node["child"]["class"] == "CONSTANT":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _typed_literals(item)


def _quoted(text: str) -> str:
    # Not a parameter: for each one duckdb looks for pandas and others anew, which takes half of all
    # the time.
    return "'" + text.replace("'", "''") + "'"


def _expression(answer: Node) -> Node:
    """Return the one expression of a parsed `SELECT expression`, or raise PolicyError."""
    statements = answer["statements"]
    node: Node = statements[0]["node"] if len(statements) == 1 else {}
    select_list: list[Node] = node.get("select_list", [])
    bare: Node = {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "where_clause": None,
        "group_expressions": [],
        "group_sets": [],
        "aggregate_handling": "STANDARD_HANDLING",
        "having": None,
        "sample": None,
        "qualify": None,
    }
    rest = {k: v for k, v in node.items() if k not in ("select_list", "from_table")}
    if len(select_list) != 1 or rest != bare or node["from_table"]["type"] != "EMPTY":
        raise PolicyError(_NOT_ONE_EXPRESSION)
    return select_list[0]


def _without_places(node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(node, dict):
        return {k: _without_places(v) for k, v in node.items() if k != "query_location"}
    if isinstance(node, list):
        return [_without_places(item) for item in node]
    return node

"""The shapes of a query's syntax tree: those of `json_serialize_sql` in DuckDB 1.5.

A node with another shape is refused: nobody has reviewed its effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lineage.audit.select_check.functions import TYPES
from lineage.errors import QueryError

Node = dict[str, Any]  # a node of DuckDB's syntax tree; its shape is checked key by key

UNKNOWN: Final = "the question has a form that is not known to be harmless; write it more plainly"


def _shapes(text: str) -> Mapping[str, frozenset[str]]:
    """Parse a kind and its fields from each line; a line that begins with + adds further fields."""
    lines = (line.split() for line in text.strip().replace("\n    +", "").splitlines())
    return {kind: frozenset(fields) for kind, *fields in lines}


_EXPRESSION: Final = frozenset({"class", "type", "alias", "query_location"})
# By the class of an expression: its fields besides these.
_EXPRESSIONS: Final = _shapes("""
    BETWEEN input lower upper
    CASE case_checks else_expr
    CAST child cast_type try_cast
    COLLATE child collation
    COLUMN_REF column_names
    COMPARISON left right
    CONJUNCTION children
    CONSTANT value
    FUNCTION function_name schema catalog children filter order_bys distinct is_operator
    +  export_state
    LAMBDA lhs expr
    OPERATOR children
    PARAMETER identifier
    POSITIONAL_REFERENCE index
    STAR relation_name exclude_list replace_list columns expr qualified_exclude_list rename_list
    SUBQUERY subquery_type subquery child comparison_type
    WINDOW function_name schema catalog children partitions orders start end start_expr end_expr
    +  offset_expr default_expr ignore_nulls filter_expr exclude_clause distinct arg_orders
""")
_TABLE: Final = frozenset({"type", "alias", "sample", "query_location"})
_TABLES: Final = _shapes("""
    BASE_TABLE schema_name table_name column_name_alias catalog_name at_clause
    EMPTY
    EXPRESSION_LIST expected_names expected_types values
    JOIN left right condition join_type ref_type using_columns delim_flipped
    +  duplicate_eliminated_columns
    PIVOT source aggregates unpivot_names pivots groups column_name_alias include_nulls
    SHOW_REF table_name query show_type catalog_name schema_name
    SUBQUERY subquery column_name_alias
    TABLE_FUNCTION function column_name_alias with_ordinality
""")
_TYPED: Final = _shapes("""
    SELECT_NODE type modifiers cte_map select_list from_table where_clause group_expressions
    +  group_sets aggregate_handling having sample qualify
    SET_OPERATION_NODE type modifiers cte_map setop_type setop_all left right
    RECURSIVE_CTE_NODE type modifiers cte_map cte_name union_all left right aliases key_targets
    LIMIT_MODIFIER type limit offset
    LIMIT_PERCENT_MODIFIER type limit offset
    ORDER_MODIFIER type orders
    DISTINCT_MODIFIER type distinct_on_targets
    ORDER_DEFAULT type null_order expression
    ASCENDING type null_order expression
    DESCENDING type null_order expression
    DECIMAL_TYPE_INFO type alias extension_info width scale
    LIST_TYPE_INFO type alias extension_info child_type
    STRUCT_TYPE_INFO type alias extension_info child_types
    ARRAY_TYPE_INFO type alias extension_info child_type size
    UNBOUND_TYPE_INFO type alias extension_info name catalog schema user_type_modifiers
""")
_TYPE: Final = frozenset({"id", "type_info"})
# Nodes without a kind are recognised by their fields alone.
_PLAIN: Final = tuple(
    frozenset(line.split())
    for line in """
    error statements
    node named_param_map
    map
    key value
    aliases query materialized key_targets
    when_expr then_expr
    is_null type value
    upper lower
    first second
    pivot_expressions unpivot_names entries pivot_enum
    values star_expr alias
    sample_size is_percentage method seed
    """.strip().splitlines()
)


def kind_of(node: Node) -> str:
    """Return the kind of a node, "" where it has none. Raises QueryError for an unknown shape.

    A kind is the class of an expression or the type of anything else; FROM_SUBQUERY is a
    subquery that stands as a table.
    """
    type_, class_, fields = node.get("type"), node.get("class"), node.keys()
    if class_ is not None:
        if class_ in _EXPRESSIONS and fields <= _EXPRESSIONS[class_] | _EXPRESSION:
            return str(class_)
    elif isinstance(type_, str):
        if type_ in _TABLES and fields <= _TABLES[type_] | _TABLE:
            return "FROM_SUBQUERY" if type_ == "SUBQUERY" else type_
        if type_ in _TYPED and fields <= _TYPED[type_]:
            return type_
    elif fields <= _TYPE:
        if node["id"] in TYPES:
            return ""
        raise QueryError("the question uses a type that is not allowed")
    elif any(fields <= plain for plain in _PLAIN):
        return ""
    raise QueryError(UNKNOWN)

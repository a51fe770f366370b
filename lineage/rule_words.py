"""What a rule may name: comparisons, types of literals and casts, functions.

Each function is plain and deterministic: it reads nothing but its arguments, knows no clock,
time zone, locale or setting, and its result is no longer than its arguments together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMPARISONS: Final = frozenset(
    f"COMPARE_{name}"
    for name in (
        "EQUAL", "NOTEQUAL", "LESSTHAN", "GREATERTHAN", "LESSTHANOREQUALTO",
        "GREATERTHANOREQUALTO", "DISTINCT_FROM", "NOT_DISTINCT_FROM",
    )
)  # fmt: skip
_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
CONSTANTS: Final = _INTEGERS | {"BOOLEAN", "VARCHAR", "DECIMAL", "DOUBLE", "NULL"}
CASTS: Final = _INTEGERS | {"BOOLEAN", "VARCHAR", "DECIMAL", "DOUBLE", "DATE", "TIMESTAMP"}

# Text in, text, truth or a number out: they cannot fail, and no result is longer than its
# arguments together. (replace, repeat and lpad are not here: nested, they fill any memory.)
TEXT_TO_TEXT: Final = frozenset(
    {"lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim", "concat", "||", "reverse"}
)
TEXT_TO_TRUTH: Final = frozenset(
    {"starts_with", "ends_with", "prefix", "suffix", "contains", "^@"}
    | {"~~", "!~~", "~~*", "!~~*", "~~~"}
)
TEXT_TO_NUMBER: Final = frozenset({"length", "len", "char_length", "strlen", "instr", "strpos"})
TOTAL: Final = TEXT_TO_TEXT | TEXT_TO_TRUTH | TEXT_TO_NUMBER
OPERATORS: Final = frozenset(
    {"+", "-", "*", "/", "//", "%", "||", "^@", "~~", "!~~", "~~*", "!~~*", "~~~"}
)
FUNCTIONS: Final = TOTAL | frozenset(
    {"+", "-", "*", "/", "//", "%", "mod", "abs", "sign", "round", "floor", "ceil", "ceiling"}
    | {"trunc", "nullif", "greatest", "least", "substring", "substr", "left", "right", "position"}
    | {"regexp_matches", "regexp_full_match", "like_escape", "ilike_escape"}
    | {"not_like_escape", "not_ilike_escape"}
    | {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "dayofmonth"}
    | {"dayofweek", "weekday", "isodow", "dayofyear", "epoch", "date_part", "datepart"}
    | {"date_trunc", "datetrunc", "date_diff", "datediff"}
    | {"to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds"}
)
# Arguments (from 0) that must be literals: what they hold is then known to be good.
LITERAL_ARGUMENTS: Final[Mapping[str, tuple[int, ...]]] = {
    "regexp_matches": (1, 2), "regexp_full_match": (1, 2),
    "like_escape": (2,), "ilike_escape": (2,),
    "not_like_escape": (2,), "not_ilike_escape": (2,),
    "date_part": (0,), "datepart": (0,), "date_trunc": (0,), "datetrunc": (0,),
    "date_diff": (0,), "datediff": (0,),
}  # fmt: skip

"""The allowlist of rules: comparisons, types of literals and casts, functions.

Each function is plain and deterministic: it reads nothing but its arguments, knows no clock,
time zone, locale or setting, and the result is hardly longer than its arguments together.
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
SMALL_INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
)
_NUMBERS: Final = SMALL_INTEGERS | {"HUGEINT", "UBIGINT", "UHUGEINT", "DECIMAL", "DOUBLE"}
CONSTANTS: Final = _NUMBERS | {"BOOLEAN", "VARCHAR", "NULL"}
CASTS: Final = _NUMBERS | {"BOOLEAN", "VARCHAR", "DATE", "TIMESTAMP"}

# Functions from text to text, truth or a number, which cannot fail. (replace, repeat and lpad are
# not here: nested, they fill any memory.)
CASE_MAPPING: Final = frozenset({"lower", "upper", "lcase", "ucase"})
TRIMS: Final = frozenset({"trim", "ltrim", "rtrim"})
CONCATENATION: Final = frozenset({"concat", "||"})
TEXT_TO_TEXT: Final = CASE_MAPPING | TRIMS | CONCATENATION | {"reverse"}
# By the name of each spelling of LIKE: ignores case (ILIKE), is negated.
LIKES: Final[Mapping[str, tuple[bool, bool]]] = {
    "~~": (False, False), "!~~": (False, True), "~~*": (True, False), "!~~*": (True, True),
    "like_escape": (False, False), "not_like_escape": (False, True),
    "ilike_escape": (True, False), "not_ilike_escape": (True, True),
}  # fmt: skip
GLOB: Final = "~~~"
SEARCHES: Final = frozenset({"starts_with", "ends_with", "prefix", "suffix", "contains", "^@"})
TEXT_TO_TRUTH: Final = SEARCHES | {GLOB}
TEXT_TO_NUMBER: Final = frozenset({"length", "len", "char_length", "strlen", "instr", "strpos"})
TOTAL: Final = TEXT_TO_TEXT | TEXT_TO_TRUTH | TEXT_TO_NUMBER
SUBSTRINGS: Final = frozenset({"substring", "substr", "left", "right"})
REGEXPS: Final = frozenset({"regexp_matches", "regexp_full_match"})
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "//", "%", "mod"})
ROUNDING: Final = frozenset({"round", "floor", "ceil", "ceiling", "trunc"})
EXTREMES: Final = frozenset({"greatest", "least"})
# Fields of an instant, a date or an interval.
FIELDS: Final = frozenset(
    {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "dayofmonth"}
    | {"dayofweek", "weekday", "isodow", "dayofyear", "epoch"}
)
DATE_PARTS: Final = frozenset({"date_part", "datepart"})
DATE_TRUNCS: Final = frozenset({"date_trunc", "datetrunc"})
DATE_DIFFS: Final = frozenset({"date_diff", "datediff"})
# The greatest number of seconds in one unit of each.
TO_INTERVAL: Final[Mapping[str, int]] = {
    "to_years": 31_622_400, "to_months": 2_678_400, "to_weeks": 604_800, "to_days": 86_400,
    "to_hours": 3_600, "to_minutes": 60, "to_seconds": 1,
}  # fmt: skip
OPERATORS: Final = frozenset(
    {"+", "-", "*", "/", "//", "%", "||", "^@", "~~", "!~~", "~~*", "!~~*", "~~~"}
)
FUNCTIONS: Final = (
    TOTAL | LIKES.keys() | SUBSTRINGS | REGEXPS | ARITHMETIC | ROUNDING | EXTREMES | FIELDS
    | DATE_PARTS | DATE_TRUNCS | DATE_DIFFS | TO_INTERVAL.keys()
    | {"abs", "sign", "nullif", "position"}
)  # fmt: skip
# Arguments (from 0) that must be literals, so that their values can be checked.
LITERAL_ARGUMENTS: Final[Mapping[str, tuple[int, ...]]] = {
    "regexp_matches": (1, 2), "regexp_full_match": (1, 2), GLOB: (1,),
    **dict.fromkeys(LIKES, (1, 2)),
    "date_part": (0,), "datepart": (0,), "date_trunc": (0,), "datetrunc": (0,),
    "date_diff": (0,), "datediff": (0,),
}  # fmt: skip

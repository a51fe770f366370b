"""Patterns: they mean what DuckDB's LIKE, ILIKE, GLOB and RE2 mean, and none takes long."""

from __future__ import annotations

from functools import lru_cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import PolicyError
from lineage.policy.rules.patterns import REGEXP_SIZE_MAX, regexp_size
from lineage.policy.rules.rule import RuleChecker
from tests.properties import tried

TEXTS = st.text(alphabet="aAbé☃İß%_!*?[]\\.^$(){}|+- \n", max_size=8)
PATTERNS = st.text(alphabet="aAbé☃İß%%__!*?[]\\.^$(){}|+- \n", max_size=6)


@lru_cache(maxsize=1)
def shared() -> RuleChecker:
    return RuleChecker()


@lru_cache(maxsize=1)
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


@lru_cache(maxsize=1)
def plain() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("PRAGMA disable_optimizer")
    return connection


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def checked_and_raw(when: str, text: str) -> tuple[object, object]:
    """Evaluate a rule as it is rewritten, and as it was written (without the optimizer, which
    makes LIKE '' of the regular expression ^^).
    """
    facts = f"(SELECT {quoted(text)} AS message_id FROM range(1))"
    checked = database().execute(f"SELECT {shared().check(when).sql} FROM {facts}").fetchone()
    return checked, plain().execute(f"SELECT {when} FROM {facts}").fetchone()


@pytest.mark.slow
@tried(600)
@given(TEXTS, PATTERNS, st.sampled_from(["like", "not like", "ilike", "not ilike"]))
def test_like_means_what_duckdb_means(text: str, pattern: str, operator: str) -> None:
    found, expected = checked_and_raw(f"message_id {operator} {quoted(pattern)}", text)
    assert found == expected


@tried(400)
@given(
    TEXTS,
    st.text(alphabet="aAé%%__!!*[.", max_size=6),
    st.sampled_from(["like", "not like", "ilike", "not ilike"]),
)
def test_an_escaped_pattern_means_what_duckdb_means(text: str, pattern: str, operator: str) -> None:
    when = f"message_id {operator} {quoted(pattern)} escape '!'"
    try:
        found, expected = checked_and_raw(when, text)
    except PolicyError as error:
        assert "escape character" in error.reason  # noqa: PT017 - most are good
    else:
        assert found == expected


@tried(400)
@given(TEXTS, st.text(alphabet="aAé%_*.*[", max_size=6) | st.text(alphabet="a*?[]b\\é", max_size=5))
def test_glob_means_what_duckdb_means(text: str, pattern: str) -> None:
    try:
        found, expected = checked_and_raw(f"message_id glob {quoted(pattern)}", text)
    except PolicyError as error:
        assert "more than one *" in error.reason  # noqa: PT017 - most are good
    else:
        assert found == expected


@tried(400)
@given(
    TEXTS,
    st.lists(
        st.sampled_from(
            [
                *"aAbé.^$()|*+?[]",
                ".*",
                "(?s)",
                "(?:",
                "?",
                "[ab]",
                "[^a]",
                "\\d",
                "{2}",
                "{1,3}",
                "(?i)",
            ]
        ),
        max_size=7,
    ).map("".join),
    st.sampled_from(["", "i", "s", "is"]),
    st.sampled_from(["regexp_matches", "regexp_full_match"]),
)
def test_regexps_mean_what_re2_means(text: str, pattern: str, options: str, name: str) -> None:
    more = f", {quoted(options)}" if options else ""
    when = f"{name}(message_id, {quoted(pattern)}{more})"
    try:
        raw = plain().execute(f"SELECT {when} FROM (SELECT {quoted(text)} AS message_id)")
        expected = raw.fetchone()
    except duckdb.Error:
        with pytest.raises(PolicyError):
            shared().check(when)
    else:
        assert checked_and_raw(when, text)[0] == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "a{501}",
        "(a{30}){30}",
        "((a{9}){9}){9}",
        "(a{1000}){1000}",
        ".{60}",
        "[^a]{40}",
        "(a|b|c|d){200}",
        "(?i)" + "a{200}",
        "\\pL{2}",
        "[\\pL\\pN]",
        "(x{10,}){60}",
        "a{0,999}",
        "(((a?){9})?{9})?{9}",
        "|".join(["ab"] * 300),
        "[" + "a-z" * 400 + "]",
        "\\x{1F600}{300}",
        "é{300}",
        "a{99999999999999999999}",
    ],
)
def test_a_regexp_that_grows_is_refused(pattern: str) -> None:
    with pytest.raises(PolicyError) as caught:
        shared().check(f"regexp_matches(message_id, '{pattern}')")
    assert "too large" in caught.value.reason


@pytest.mark.parametrize(
    "pattern",
    [
        *("a)(b", "(a", "a)", "[a", "a\\", "[", "[]", "[^]", "\\Qa", "(?", "a**{2}(", "[[:"),
        # Between parentheses these would be flags.
        *("?", "?i", "?:a", "*", "+a", "a|?i", "(?x)a", "{2}", "(|?)", "(?i)*", "(?Pa)"),
    ],
)
def test_a_broken_regexp_is_refused(pattern: str) -> None:
    for name in ("regexp_matches", "regexp_full_match"):
        with pytest.raises(PolicyError) as caught:
            shared().check(f"{name}(message_id, '{pattern}')")
        assert "does not fit together" in caught.value.reason or "\\Q" in caught.value.reason


@pytest.mark.parametrize(
    "pattern", ["^raw[.]", "(raw|stage)[.][a-z0-9_]+", "\\d{4}-\\d{2}-\\d{2}", "(?i)acme|initech"]
)
def test_an_ordinary_regexp_is_small(pattern: str) -> None:
    assert regexp_size(pattern, "") < REGEXP_SIZE_MAX / 4
    shared().check(f"regexp_matches(message_id, '{pattern}')")


@pytest.mark.parametrize(
    "when",
    [
        "message_id like dataset",
        "message_id not ilike '%' || dataset",
        "message_id like null",
        "message_id like 3",
        "message_id glob recipient",
        "message_id like '%' escape dataset",
        "regexp_matches(message_id, null)",
    ],
)
def test_a_pattern_is_a_literal(when: str) -> None:
    with pytest.raises(PolicyError) as caught:
        shared().check(when)
    assert "literal" in caught.value.reason


@pytest.mark.parametrize(
    "when",
    [
        f"message_id {operator} '{pattern}'"
        for operator in ("like", "not like", "ilike", "not ilike")
        for pattern in ("%_" * 8 + "!", "%a" * 16 + "!", "_%" * 16 + "!", "%_%_%a_b")
    ]
    + [
        "message_id like '%a!_" * 1 + "%a%a%a%a%a%a%!' escape '#'",
        "message_id glob '" + "*a" * 12 + "!'",
        "regexp_matches(message_id, '" + "a.*" * 9 + "!', 's')",
        "regexp_matches(message_id, '(?s)" + "a.*" * 9 + "!')",
        "regexp_matches(message_id, '" + "a[\\s\\S]*" * 5 + "!')",
        "regexp_full_match(message_id, '" + ".*a" * 9 + "!', 's')",
        "regexp_matches(message_id, '(a*)*(a*)*(a*)*!')",
        "message_id similar to '" + "(a|aa)*" * 8 + "!'",
    ],
)
def test_no_pattern_tries_every_place_for_every_wildcard(when: str) -> None:
    # The operators that DuckDB would do so with are not in the plan, whatever it makes of it.
    plan = database().execute(
        f"EXPLAIN SELECT {shared().check(when).sql} FROM (SELECT repeat('a', i) AS message_id"
        " FROM range(3) r(i))"
    )
    ((_, text),) = plan.fetchall()
    words = "".join(text.replace("│", "").split())
    assert "~~*" not in words
    assert "~~~" not in words
    assert "like_escape" not in words
    for piece in words.split("~~")[1:]:
        assert "_" not in piece.split("')")[0].split("TRY")[0], words

"""A policy document: what it may hold, and how it is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import LineageError, PolicyError, StoreBusyError, StoreError
from lineage.policy.parse import BUILT_IN, BUILT_IN_DOCUMENT, parse_policy
from tests.properties import tried

EU = {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
}

DOCUMENT = """
paying_tiers: [PREMIUM_CAREER, RECRUITER]
ai_training_exempt_regions: [DE, NO]
declassification: [{method: k-anonymity, min_k: 50}]
rules:
  - {id: leak, severity: CRITICAL, when: "confidential and identifiable and party = 'THIRD'"}
"""


def document(**changes: object) -> str:
    base: dict[str, object] = {
        "paying_tiers": ["RECRUITER"],
        "ai_training_exempt_regions": ["DE"],
        "declassification": [],
        "rules": [rule()],
    }
    return json.dumps(base | changes)


def rule(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {"id": "leak", "severity": "HIGH", "when": "confidential"}
    return base | changes


def reason(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    return caught.value.reason


def test_a_document_says_what_it_says() -> None:
    policy = parse_policy(DOCUMENT)
    assert policy.paying_tiers == {"PREMIUM_CAREER", "RECRUITER"}
    assert policy.exempt_regions == {"DE", "NO"}
    assert policy.declassification == {"k-anonymity": 50}
    assert [(r.id, r.severity, r.when) for r in policy.rules] == [
        ("leak", "CRITICAL", "confidential and identifiable and party = 'THIRD'")
    ]
    assert policy.rules[0].facts == {"confidential", "identifiable", "party"}


def test_the_built_in_policy_is_the_one_of_the_design() -> None:
    training = "kind in ('TRAINING_CORPUS', 'MODEL')"
    assert BUILT_IN.paying_tiers == {
        "PREMIUM_CAREER",
        "PREMIUM_BUSINESS",
        "SALES_NAVIGATOR",
        "RECRUITER",
    }
    assert BUILT_IN.exempt_regions == EU | {"IS", "LI", "NO", "GB", "CH", "CA", "HK", "CN"}
    assert len(EU) == 27
    assert BUILT_IN.declassification == {}
    assert [(r.id, r.severity, r.when) for r in BUILT_IN.rules] == [
        (
            "confidential-inmail-to-third-party",
            "CRITICAL",
            "confidential and identifiable and party = 'THIRD'",
        ),
        (
            "confidential-inmail-to-undeclared-dataset",
            "HIGH",
            "confidential and identifiable and not declared",
        ),
        (
            "confidential-inmail-in-ai-training",
            "HIGH",
            f"confidential and identifiable and {training}",
        ),
        ("exempt-region-in-ai-training", "HIGH", f"exempt_region and {training}"),
        ("ai-training-without-consent", "HIGH", f"not ai_training_consent and {training}"),
        ("ai-training-before-disclosure", "MEDIUM", f"not disclosed and {training}"),
    ]
    assert parse_policy(BUILT_IN_DOCUMENT) == BUILT_IN


def test_json_is_read_as_well() -> None:
    text = document(rules=[rule(when="dataset = '\U0001f600/\\u0041'")])
    assert "\\ud83d\\ude00" in text
    assert parse_policy(text).rules[0].when == "dataset = '\U0001f600/\\u0041'"
    tabs = json.dumps(json.loads(text), indent="\t")
    assert parse_policy(tabs).rules == parse_policy(text).rules


def test_norway_is_a_region_and_no_boolean() -> None:
    # In YAML 1.1 NO, No, Off, y are booleans; here only true and false are.
    text = DOCUMENT.replace("leak", "off").replace("k-anonymity", "yes")
    policy = parse_policy(text)
    assert "NO" in policy.exempt_regions
    assert policy.rules[0].id == "off"
    assert policy.declassification == {"yes": 50}


@pytest.mark.parametrize(
    ("scalar", "said"),
    [
        ("true", "a boolean"),
        ("False", "a boolean"),
        ("null", "null"),
        ("~", "null"),
        ("", "null"),
        ("12", "an integer"),
        ("0x1F", "an integer"),
        ("-3", "an integer"),
        ("1.5", "a number"),
        (".inf", "a number"),
        (".NaN", "a number"),
        ("1e3", "a number"),
        ("9" * 9000, "a number"),
        ("[a]", "a list"),
        ("{a: b}", "a mapping"),
    ],
)
def test_an_id_must_be_text(scalar: str, said: str) -> None:
    text = DOCUMENT.replace("id: leak", f"id: {scalar}")
    assert reason(text) == f"rules[0].id must be text (in quotes, if need be), not {said}"


@pytest.mark.parametrize("scalar", ["2024-01-01", "1:30", "=", "<<", "0b1", "1_000", "y", "on"])
def test_what_only_yaml_1_1_would_convert_is_text(scalar: str) -> None:
    assert parse_policy(DOCUMENT.replace("id: leak", f"id: {scalar}")).rules[0].id == scalar


def test_several_entries_of_one_method_accept_what_any_accepts() -> None:
    entries = [{"method": "k", "min_k": 50}, {"method": "k", "min_k": 20}]
    assert parse_policy(document(declassification=entries)).declassification == {"k": 20}


def test_empty_lists_are_a_policy() -> None:
    policy = parse_policy(document(paying_tiers=[], ai_training_exempt_regions=[], rules=[]))
    assert policy.paying_tiers == frozenset()
    assert policy.exempt_regions == frozenset()
    assert policy.rules == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"paying_tiers": "RECRUITER"}, "paying_tiers must be a list, not text"),
        ({"paying_tiers": ["GOLD"]}, "paying_tiers[0] must be one of FREE, PREMIUM_CAREER,"),
        ({"paying_tiers": ["FREE", 1]}, "paying_tiers[1] must be text"),
        (
            {"ai_training_exempt_regions": None},
            "ai_training_exempt_regions must be a list, not null",
        ),
        ({"ai_training_exempt_regions": ["DE", "de"]}, "ai_training_exempt_regions[1] must be two"),
        ({"ai_training_exempt_regions": ["DE\n"]}, "ai_training_exempt_regions[0] must be two"),
        ({"ai_training_exempt_regions": [False]}, "ai_training_exempt_regions[0] must be text"),
        ({"declassification": ["k"]}, "declassification[0] must be a mapping with the keys method"),
        ({"declassification": [{"method": "k"}]}, "declassification[0] must also have min_k"),
        (
            {"declassification": [{"method": "k", "min_k": 1.0}]},
            "min_k must be an integer, not a num",
        ),
        (
            {"declassification": [{"method": "k", "min_k": True}]},
            "min_k must be an integer, not a bo",
        ),
        (
            {"declassification": [{"method": "k", "min_k": -1}]},
            "declassification[0].min_k must be from",
        ),
        (
            {"declassification": [{"method": "k", "min_k": 2**31}]},
            "min_k must be from 0 to 2147483647",
        ),
        (
            {"declassification": [{"method": "", "min_k": 1}]},
            "declassification[0].method must have 1",
        ),
        ({"rules": {}}, "rules must be a list, not a mapping"),
        (
            {"rules": [None]},
            "rules[0] must be a mapping with the keys id, severity, when, not null",
        ),
        ({"rules": [{"id": "a"}]}, "rules[0] must also have severity, when"),
        ({"rules": [rule(why="x")]}, "rules[0] must have no keys but id, severity, when"),
        ({"rules": [rule(id="")]}, "rules[0].id must have 1 to 256 bytes, not 0"),
        ({"rules": [rule(id="é" * 129)]}, "rules[0].id must have 1 to 256 bytes, not 258"),
        ({"rules": [rule(id="\ud800")]}, "rules[0].id must be Unicode text"),
        ({"rules": [rule(severity="high")]}, "rules[0].severity must be one of LOW, MEDIUM, HIGH"),
        ({"rules": [rule(severity=None)]}, "rules[0].severity must be text"),
        ({"rules": [rule(), rule()]}, "rules[1].id must be unique: an earlier rule has it"),
        ({"rules": [rule(), rule(id="b", when="1")]}, "rules[1].when must be a BOOLEAN expression"),
        ({"rules": [rule(when="random() > 1")]}, "rules[0].when must not use random()"),
        ({"extra": 1}, "the document must have no keys but paying_tiers"),
    ],
)
def test_says_what_is_wrong_and_where(changes: dict[str, object], said: str) -> None:
    assert said in reason(document(**changes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the document is empty"),
        ("# nothing\n", "the document is empty"),
        ("---\n", "the document must be a mapping with the keys paying_tiers"),
        ("[]", "the document must be a mapping"),
        ("hello", "the document must be a mapping with the keys"),
        ("{}", "the document must also have paying_tiers, ai_training_exempt_regions, declass"),
        (DOCUMENT.replace("declassification:", "declassified:"), "must also have declassification"),
        (DOCUMENT + "---\n" + DOCUMENT, "one YAML document, not several"),
        (DOCUMENT + "rules: []\n", "the same key twice in one mapping (line 7)"),
        (document()[:-1] + ', "rules": []}', "the same key twice in one mapping"),
        (DOCUMENT.replace("id: leak", "id: leak, id: leak"), "the same key twice"),
        (DOCUMENT.replace("[DE, NO]", "&a [DE, NO]"), "anchors or aliases (line 3)"),
        (DOCUMENT.replace("[DE, NO]", "*a"), "anchors or aliases (line 3)"),
        (DOCUMENT.replace("[DE, NO]", "!!set {DE, NO}"), "tags (line 3)"),
        (DOCUMENT.replace("leak", "!!str leak"), "tags (line 6)"),
        (DOCUMENT.replace("leak", "!secret leak"), "tags (line 6)"),
        (DOCUMENT.replace("leak", "! leak"), "tags (line 6)"),
        (DOCUMENT.replace("id: leak", "!!str id: leak"), "tags (line 6)"),
        (DOCUMENT + "!!python/object/apply:os.system [x]: 1\n", "tags (line 7)"),
        (DOCUMENT + "1: 2\n", "text as keys (line 7)"),
        (DOCUMENT + "[a]: 2\n", "text as keys (line 7)"),
        (DOCUMENT + "\tx: 1\n", "must be YAML or JSON (line 7"),
        (DOCUMENT + "'open", "must be YAML or JSON"),
        (DOCUMENT + "\x00", "must be YAML or JSON"),
        (DOCUMENT + "\ud800", "surrogates"),
        ('{"a": NaN}', "must also have"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 40_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("? " * 100_000, "nested too deeply"),
        ("a: " * 10_000, "must be YAML or JSON"),
        ("#" * (256 * 1024 + 1), "262145 bytes; it may have at most 262144"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_refuses_as_a_whole(text: str, said: str) -> None:
    assert said in reason(text)


def test_has_at_most_256_kib() -> None:
    padding = "#" * (256 * 1024 - len(DOCUMENT))
    assert parse_policy(DOCUMENT + padding) == parse_policy(DOCUMENT)
    assert "262145 bytes" in reason(DOCUMENT + padding + "#")


def test_a_reason_quotes_nothing() -> None:
    canary = "hello Bob, the salary is 100"
    for text in (
        canary,
        f"{canary}: 1",
        f"{DOCUMENT}{canary}: 1\n",
        f"{DOCUMENT}'{canary}",
        f"{DOCUMENT}x: !{canary} y",
        document(paying_tiers=[canary]),
        document(ai_training_exempt_regions=[canary]),
        document(rules=[rule(when=f"'{canary}'")]),
        document(rules=[rule(when=canary)]),
        document(rules=[rule(when="salary(kind) = 'Bob'")]),
        document(rules=[rule(when='"hello Bob, the salary"')]),
        document(rules=[rule(when="date 'hello Bob' is null")]),
        document(rules=[rule(severity=canary)]),
        document(rules=[rule(), rule()] + [rule(id=canary)] * 2),
    ):
        said = reason(text)
        assert not any(word in said for word in ("hello", "Bob", "salary", "100")), said


def test_errors_carry_the_exit_code_of_the_command() -> None:
    assert (PolicyError("x").exit_code, StoreBusyError("x").exit_code) == (2, 3)
    assert issubclass(StoreBusyError, StoreError)
    assert issubclass(PolicyError, LineageError)


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "severity", "when", "method", "min_k", "rules", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@tried(200)
@given(
    st.one_of(
        st.text(max_size=80),
        st.text(alphabet="{}[]:,-!&*'\"#|>?%@ \n\tab1", max_size=40),
        st.dictionaries(
            st.sampled_from(
                ["paying_tiers", "ai_training_exempt_regions", "declassification", "rules"]
            ),
            _VALUES,
        ).map(lambda changes: document(**changes)),
    )
)
def test_nothing_but_a_policy_error_comes_out(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse_policy(text)

"""Saved questions: each against a small log whose answer is known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.audit.questions.page import page
from lineage.audit.questions.saved_questions import read_question, saved_question, saved_questions
from lineage.errors import QueryError
from lineage.policy.parse import BUILT_IN
from tests.lineage.events.builders import (
    Event,
    at,
    consent,
    declared,
    hop,
    message,
    party,
    policy,
)
from tests.stores import new_store

ROOT = Path(__file__).parents[3]
# The tracker's own clock: one batch at the first, the rest a day later.
FIRST, LATER = datetime(2026, 11, 1, 12), datetime(2026, 11, 2, 12)
BUILT_IN_RULES = [(rule.id, rule.severity, rule.when) for rule in BUILT_IN.rules]


def instant(minute: int) -> datetime:
    return datetime(2024, 9, 18, 0, minute)


def moved(job: str, event: Event) -> Event:
    return {**event, "job": job}


# m1: ann (paying, US) to bob (free, DE), an InMail; to the corpus at 10, to Acme at 20, to a lake
# at 25 and to scratch at 27. m2: cat (free, US) to ann, directly; to the corpus at 10. m3 stays at
# home. The policy `quiet` holds from 5 and is disclosed at 15; it exempts DE.
FIRST_PARTIES = [party("SENDER", "ann", tier="RECRUITER"), party("RECIPIENT", "bob", region="DE")]
SECOND_PARTIES = [party("SENDER", "cat"), party("RECIPIENT", "ann", tier="RECRUITER")]
EVENTS: list[Event] = [
    message("m1", parties=FIRST_PARTIES),
    message("m2", channel="DIRECT", parties=SECOND_PARTIES),
    message("m3", channel="DIRECT", parties=[party("SENDER", "dan"), party("RECIPIENT", "eve")]),
    declared("d1", "inbox", "TOPIC"),
    declared("d2", "corpus", "TRAINING_CORPUS"),
    declared("d3", "vendor", "SINK", "THIRD", "Acme"),
    declared("d4", "archive", "TABLE"),
    policy("quiet", BUILT_IN_RULES, effective_at=at(5), disclosed_at=at(15), exempt_regions=["DE"]),
    moved("train", hop("h1", "inbox", "corpus", ["m1", "m2"], moved_at=at(10))),
    moved("export", hop("h2", "inbox", "vendor", ["m1"], moved_at=at(20), operation="EXPORT")),
    moved("copy", hop("h3", "inbox", "lake", ["m1"], moved_at=at(25))),
    moved("copy", hop("h4", "inbox", "lake", ["ghost"], moved_at=at(26))),
    moved("dump", hop("h5", "inbox", "scratch", ["m1"], ["s"], moved_at=at(27))),
]  # fmt: skip
LATE: list[Event] = [
    declared("d5", "lake", "TABLE", declared_at=at(1)),
    consent("c1", "ann", granted=False, effective_at=at(40)),
    consent("c2", "cat", granted=False, effective_at=at(41)),
    consent("c3", "cat", granted=True, effective_at=at(42)),
    {"event": "MessageSent", "message_id": ""},
]
ANSWERS: list[tuple[str, dict[str, str], str, list[tuple[Any, ...]]]] = [
    (
        "message-third-parties",
        {"message": "m1"},
        "recipient dataset record_id arrived_at operation identifiable policy_id hop_id",
        [("Acme", "vendor", "m1", instant(20), "EXPORT", True, "quiet", "h2")],
    ),
    ("message-third-parties", {"message": "m2"}, "dataset", []),
    (
        "message-consents",
        {"message": "m2"},
        "arrived_at dataset role member_id ai_training_consent ai_training_changed_at",
        [
            (instant(0), "inbox", "SENDER", "cat", True, None),
            (instant(0), "inbox", "RECIPIENT", "ann", True, None),
            (instant(10), "corpus", "SENDER", "cat", True, None),
            (instant(10), "corpus", "RECIPIENT", "ann", True, None),
        ],
    ),
    (
        "recipient-holdings",
        {"recipient": "Acme"},
        "member_id policy_id messages identifiable_messages since until",
        [("ann", "quiet", 1, 1, instant(20), instant(20))],
    ),
    ("recipient-holdings", {"recipient": "Acme", "role": "RECIPIENT"}, "member_id", [("bob",)]),
    ("recipient-holdings", {"recipient": "Nobody"}, "member_id", []),
    (
        "member-in-ai",
        {"member": "ann"},
        "dataset kind messages records identifiable since until",
        [("corpus", "TRAINING_CORPUS", 2, 2, True, instant(10), instant(10))],
    ),
    ("member-in-ai", {"member": "dan"}, "dataset", []),
    (
        "member-recipients",
        {"member": "bob"},
        "recipient dataset kind messages since",
        [("Acme", "vendor", "SINK", 1, instant(20))],
    ),
    ("member-recipients", {"member": "cat"}, "dataset", []),
    (
        "recipients",
        {},
        "recipient dataset kind policy_id messages identifiable_messages since until",
        [("Acme", "vendor", "SINK", "quiet", 1, 1, instant(20), instant(20))],
    ),
    (
        "before-disclosure",
        {},
        "policy_id job source target hops first_at disclosed_at",
        [("quiet", "train", "inbox", "corpus", 1, instant(10), instant(15))],
    ),
    ("before-disclosure", {"policy": "built-in"}, "job", []),
    (
        "withdrawn-after-use",
        {},
        "member_id withdrawn_at dataset messages first_used_at",
        [("ann", instant(40), "corpus", 2, instant(10))],
    ),
    ("withdrawn-after-use", {"member": "cat"}, "dataset", []),
    ("withdrawn-after-use", {"purpose": "THIRD_PARTY"}, "dataset", []),
    (
        "region-reach",
        {"region": "DE"},
        "dataset policy_id exempt messages since",
        [
            ("corpus", "quiet", True, 1, instant(10)),
            ("inbox", "built-in", True, 1, instant(0)),
            ("lake", "quiet", True, 1, instant(25)),
            ("scratch", "quiet", True, 1, instant(27)),
            ("vendor", "quiet", True, 1, instant(20)),
        ],
    ),
    (
        "confidential-jobs",
        {},
        "job operation target records hops last_at",
        [
            ("copy", "COPY", "lake", 1, 1, instant(25)),
            ("dump", "COPY", "scratch", 1, 1, instant(27)),
            ("export", "EXPORT", "vendor", 1, 1, instant(20)),
            ("train", "COPY", "corpus", 1, 1, instant(10)),
        ],
    ),
    ("confidential-jobs", {"since": at(26)}, "job", [("dump",)]),
    (
        "undeclared-datasets",
        {},
        "dataset messages since until jobs",
        [("scratch", 1, instant(27), instant(27), ["dump"])],
    ),
    (
        "silent-datasets",
        {},
        "dataset kind party declared_at until",
        [("archive", "TABLE", "FIRST", instant(0), None)],
    ),
    (
        "silent-datasets",
        {"since": at(25)},
        "dataset until",
        [
            ("archive", None), ("corpus", instant(10)), ("inbox", instant(0)),
            ("vendor", instant(20)),
        ],
    ),
    (
        "unknown-inputs",
        {},
        "job source reason inputs hops first_at a_hop",
        [("copy", "inbox", "NEVER_SEEN", 1, 1, instant(26), "h4")],
    ),
    (
        "new-since",
        {"since": "2026-11-02"},
        "what name count first_at",
        [
            ("dead letter", "apply", 1, LATER),
            ("event", "ConsentChanged", 3, LATER),
            ("event", "DatasetDeclared", 1, LATER),
            ("flag cleared", "confidential-inmail-to-undeclared-dataset", 1, LATER),
        ],
    ),
    (
        "cleared-flags",
        {},
        "cleared_at raised_at rule message_id dataset because",
        [
            (LATER, FIRST, "confidential-inmail-to-undeclared-dataset", "m1", "lake",
             ["DatasetDeclared d5"]),
        ],
    ),
    ("dead-letters", {}, "source letters first_position first_at", [("apply", 1, 4, LATER)]),
    (
        "paying-members",
        {},
        "member_id tier policy_id messages first_at",
        [("ann", "RECRUITER", "built-in", 2, instant(0))],
    ),
    ("paying-members", {"policy": "quiet"}, "member_id", []),
    ("paying-members", {"member": "cat"}, "member_id", []),
    (
        "rule-days",
        {"rule": "confidential-inmail-to-third-party"},
        "day dataset flags arrivals",
        [(date(2024, 9, 18), "vendor", 1, 1)],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply(EVENTS, at=FIRST)
        store.apply(LATE, at=LATER, strict=False)
        yield store


@pytest.mark.parametrize(
    ("name", "given", "columns", "rows"),
    ANSWERS,
    ids=[f"{name} {' '.join(given.values())}" for name, given, _, _ in ANSWERS],
)
def test_the_answer_is_the_one_known_by_hand(
    store: lineage.Store, name: str, given: dict[str, str], columns: str, rows: list[Any]
) -> None:
    question = saved_question(name)
    relation = store.sql(question.sql, question.values(given))
    assert relation.select(*columns.split()).fetchall() == rows


def test_every_question_has_an_answer_known_by_hand() -> None:
    assert {name for name, *_ in ANSWERS} == set(saved_questions())
    assert len(saved_questions()) >= 16


def test_the_page_is_up_to_date() -> None:
    written = (ROOT / "docs/questions.md").read_text(encoding="utf-8")
    assert page() == written, "`make docs` writes it anew"


def test_a_head_tells_title_description_and_parameters() -> None:
    question = read_question(
        "q",
        "-- Which?\n--\n-- One row\n-- each.\n--\n-- $a (text): An id,\n--     whole.\n"
        "-- $b (timestamp, default null): Since.\n-- $c (text, default X): Kind.\nSELECT $a\n",
    )
    assert (question.title, question.description) == ("Which?", "One row each.")
    assert [
        (each.name, each.kind, each.default, each.required) for each in question.parameters
    ] == [
        ("a", "text", None, True),
        ("b", "timestamp", None, False),
        ("c", "text", "X", False),
    ]
    assert question.parameters[0].description == "An id, whole."
    assert question.sql == "SELECT $a\n"
    assert question.values({"a": "m", "b": "2024-09-18T02:00:00+02:00"}) == {
        "a": "m",
        "b": datetime(2024, 9, 18),
        "c": "X",
    }


@pytest.mark.parametrize(
    "text", ["SELECT 1", "-- Title.\nSELECT 1", "-- T.\n--\n-- D.\n--\n-- $a: No kind.\nSELECT $a"]
)
def test_a_head_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"begins with a title|is not as"):
        read_question("q", text)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("rule-day", {}, "there is no question 'rule-day'; did you mean rule-days?"),
        ("rule-days", {}, "rule-days needs a value for rule"),
        ("rule-days", {"rule": "r", "day": "x"}, "rule-days has no parameter 'day'; it has rule"),
        ("recipients", {"a": ""}, "recipients has no parameter 'a'; it has none"),
        ("new-since", {"since": "soon"}, "since must be an instant, as 2024-09-18 or"),
        ("new-since", {"since": "9999-12-31T23:59:59-23:00"}, "since must be an instant"),
    ],
)
def test_what_cannot_be_asked_is_told(name: str, given: dict[str, str], said: str) -> None:
    with pytest.raises(QueryError) as caught:
        saved_question(name).values(given)
    assert str(caught.value).startswith(said)


def test_an_instant_without_a_zone_is_utc() -> None:
    found = saved_question("new-since").values({"since": "2024-09-18T12:00"})
    aware = datetime(2024, 9, 18, 12, tzinfo=UTC).isoformat()
    assert found == saved_question("new-since").values({"since": aware})

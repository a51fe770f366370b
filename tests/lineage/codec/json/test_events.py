"""What a line of an event log must be, and what becomes of one that is not."""

import hashlib
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.codec import Batch, from_events, from_json_lines
from lineage.codec.contract.events import OPERATIONS, TIERS, by_name
from lineage.codec.contract.validate_event import wrong_with
from tests.lineage.codec.examples import (
    CONSENT,
    DECLARATION,
    FLAG,
    GOOD,
    HOP,
    MAIN,
    MESSAGE,
    POLICY,
    RECIPIENT,
    SENDER,
    Event,
    content,
    reasons,
    without,
)
from tests.lineage.codec.strategies import near_events, read_events
from tests.properties import tried


def parties(*changed: Event) -> Event:
    return {**MESSAGE, "parties": list(changed)}


def test_good_events_become_rows() -> None:
    found = content(from_events(GOOD))
    at = "2024-09-18 00:00:0"
    assert [str(row) for row in found["messages"]] == [
        "(0, 'm1', 'INMAIL', 'inbox', datetime.datetime(2024, 9, 18, 0, 0))"
    ]
    assert found["parties"] == [
        (0, 0, "SENDER", "ann", "RECRUITER", "US", True, False),
        (0, 1, "RECIPIENT", "bob", "FREE", "DE", True, False),
    ]
    assert [row[:-1] for row in found["hops"]] == [
        (0, "h1", "r1", "nightly", "COPY", "inbox", "warehouse", "k-anonymity", 50)
    ]
    assert str(found["hops"][0][-1]) == at + "1.500000"
    assert found["hop_inputs"] == [(0, "m1"), (0, "m2")]
    assert found["hop_outputs"] == [(0, "w1")]
    assert found["consent_changes"][0][:-1] == (0, "c1", "ann", "AI_TRAINING", False, "MEMBER")
    assert found["declarations"][0][:-1] == (0, "d1", "warehouse", "TABLE", "THIRD", "acme")
    assert found["policies"][0][:2] == (0, "p1")


def test_enums_have_the_symbols_of_the_schema_in_its_order() -> None:
    batch = from_events(GOOD)
    assert batch.parties["tier"].dtype == pl.Enum(TIERS)
    assert batch.hops["operation"].dtype == pl.Enum(OPERATIONS)
    assert Batch.empty().hops.schema == batch.hops.schema


def test_rows_say_where_they_were_read() -> None:
    lines = [b"", orjson.dumps(MESSAGE), b"  \t", orjson.dumps(HOP), orjson.dumps(MESSAGE)]
    batch = from_json_lines(lines, "a.jsonl", first_position=10)
    where = ["read_from", "partition", "position"]
    assert batch.messages.select(where).rows() == [("a.jsonl", 0, 11), ("a.jsonl", 0, 14)]
    assert batch.hops.select(where).rows() == [("a.jsonl", 0, 13)]
    assert from_events(GOOD).policies.select(where).rows() == [("apply", 0, 4)]


def test_inputs_and_outputs_are_sets() -> None:
    hop = {**HOP, "inputs": ["b", "a", "b"], "outputs": []}
    found = content(from_events([hop, {**HOP, "outputs": ["x", "x"]}]))
    assert found["hop_inputs"] == [(0, "b"), (0, "a"), (1, "m1"), (1, "m2")]
    assert found["hop_outputs"] == [(1, "x")]


def test_what_may_be_null_may_be_absent() -> None:
    full = [{**HOP, "declassification": None}, {**DECLARATION, "recipient": None}]
    full.append({**POLICY, "disclosed_at": None})
    absent = [without(e, "declassification", "recipient", "disclosed_at") for e in full]
    assert content(from_events(full)) == content(from_events(absent))
    assert from_events(full).events == 3


def test_a_field_that_is_not_known_is_ignored() -> None:
    more = {**MESSAGE, "text": "hello", "parties": [{**SENDER, "name": "Ann"}, RECIPIENT]}
    batch = from_events([more])
    assert content(batch) == content(from_events([MESSAGE]))


BAD: dict[str, tuple[object, str]] = {
    "an empty id": ({**MESSAGE, "message_id": ""}, "message_id must be a non-empty string"),
    "an id of 257 bytes": ({**MESSAGE, "dataset": "é" * 128 + "x"}, "at most 256 bytes"),
    "an id that is a number": ({**MESSAGE, "message_id": 5}, "message_id must be"),
    "an id that is missing": (without(MESSAGE, "message_id"), "and is missing"),
    "an id that is null": ({**HOP, "hop_id": None}, "hop_id must be"),
    "a channel not known": ({**MESSAGE, "channel": "FAX"}, "one of INMAIL, DIRECT, GROUP"),
    "a tier not known": (parties({**SENDER, "tier": "GOLD"}, RECIPIENT), "parties: tier must be"),
    "a region in small letters": (parties({**SENDER, "region": "us"}, RECIPIENT), "region must be"),
    "a region of three": (parties({**SENDER, "region": "USA"}, RECIPIENT), "region must be"),
    "consent that is a number": (
        parties({**SENDER, "ai_training_consent": 1}, RECIPIENT),
        "ai_training_consent must be true or false, not a number",
    ),
    "a party without a member": (parties(without(SENDER, "member_id"), RECIPIENT), "member_id"),
    "a party that is null": ({**MESSAGE, "parties": [None, SENDER, RECIPIENT]}, "parties must be"),
    "parties that are a string": ({**MESSAGE, "parties": "ab"}, "not a string"),
    "no parties": (parties(), "exactly one SENDER"),
    "no sender": (parties(RECIPIENT), "exactly one SENDER"),
    "two senders": (parties(SENDER, SENDER, RECIPIENT), "exactly one SENDER"),
    "no recipient": (parties(SENDER), "at least one RECIPIENT"),
    "no zone": ({**MESSAGE, "sent_at": "2024-09-18T00:00:00"}, "sent_at must be an instant"),
    "before 1970": ({**MESSAGE, "sent_at": "1969-12-31T23:59:59Z"}, "from 1970 to 9999"),
    "a leap second": ({**MESSAGE, "sent_at": "2016-12-31T23:59:60Z"}, "sent_at must be"),
    "a day that never was": ({**MESSAGE, "sent_at": "2023-02-29T00:00:00Z"}, "sent_at must be"),
    "an instant that is a number": ({**MESSAGE, "sent_at": 1726617600}, "not a number"),
    "no inputs": ({**HOP, "inputs": []}, "inputs must be"),
    "inputs that are missing": (without(HOP, "inputs"), "inputs must be"),
    "inputs that are a string": ({**HOP, "inputs": "ab"}, "inputs must be"),
    "an input that is empty": ({**HOP, "inputs": ["a", ""]}, "inputs must be"),
    "an input that is null": ({**HOP, "inputs": [None]}, "inputs must be"),
    "outputs that are null": ({**HOP, "outputs": None}, "outputs must be"),
    "outputs that are an empty string": ({**HOP, "outputs": ""}, "outputs must be"),
    "an operation not known": ({**HOP, "operation": "MELT"}, "operation must be one of COPY"),
    "k that is no whole number": (
        {**HOP, "declassification": {"method": "x", "k": 50.5}},
        "declassification.k must be an integer",
    ),
    "k beyond 32 bits": ({**HOP, "declassification": {"method": "x", "k": 2**31}}, "32 bits"),
    "k that is true": ({**HOP, "declassification": {"method": "x", "k": True}}, "declassification"),
    "declassification of nothing": ({**HOP, "declassification": {}}, "declassification.method"),
    "declassification that is an array": ({**HOP, "declassification": []}, "not an array"),
    "granted as text": ({**CONSENT, "granted": "true"}, "granted must be true or false"),
    "a recipient that is a number": ({**DECLARATION, "recipient": 1}, "recipient must be null or"),
    "a document that is an object": ({**POLICY, "document": {}}, "document must be a string"),
    "disclosed at no instant": ({**POLICY, "disclosed_at": "soon"}, "disclosed_at must be null or"),
    "an event not known": ({"event": "MessageRead"}, '"event" must be one of MessageSent'),
    "an event that is an array": ({"event": []}, '"event" must be one of'),
    "an event that is produced": (FLAG, "FlagRaised is produced, not read"),
    "no event": (without(MESSAGE, "event"), '"event" is missing'),
    "a number": (5, "not a number"),
    "null": (None, "not null"),
    "an array of events": ([MESSAGE], "not an array"),
    "a string": ("MessageSent", "not a string"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_breaks_the_contract_is_a_dead_letter_that_says_why(bad: str) -> None:
    event, reason = BAD[bad]
    line = orjson.dumps(event)
    batch = from_json_lines([orjson.dumps(MESSAGE), line, orjson.dumps(HOP)], "a.jsonl")
    assert batch.events == 2
    (letter,) = batch.dead_letters
    assert (letter.source, letter.partition, letter.position) == ("a.jsonl", 0, 2)
    assert reason in letter.reason
    assert (letter.sha256, letter.value) == (hashlib.sha256(line).hexdigest(), line)
    assert reasons(from_events([event])) == {0: letter.reason}  # type: ignore[list-item]  # bad ones


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff",
        b'{"event": "MessageSent", "message_id": "\xff"}',
        b'{"event": "MessageSent", "message_id": "\\ud800"}',
        b"\xef\xbb\xbf{",
        b"NaN",
        b"{} {}",
        b"[" * 100_000,
        b"\0",
    ],
)
def test_what_is_not_json_is_a_dead_letter(line: bytes) -> None:
    batch = from_json_lines([line, orjson.dumps(MESSAGE)], "a.jsonl")
    assert batch.events == 1
    assert reasons(batch)[1].startswith("not JSON: ")


@pytest.mark.parametrize(
    "part", [float, {1, 2}, "\ud800", 2**70, b"bytes"], ids=lambda part: type(part).__name__
)
def test_what_json_cannot_say_is_a_dead_letter(part: object) -> None:
    batch = from_events([MESSAGE, {**MESSAGE, "dataset": part}, HOP])
    assert batch.events == 2
    assert reasons(batch)[1].startswith("the event can't be written as JSON: ")
    assert len(batch.dead_letters[0].sha256) == 64


def test_what_json_cannot_say_in_a_field_that_is_not_known_is_ignored() -> None:
    odd: dict[str, Any] = {"when": object(), "who": {1, 2}, "half": "\ud800", "big": 2**70}
    odd["self"] = odd
    parties = [{**SENDER, **odd}, RECIPIENT]
    events = [{**MESSAGE, **odd, "parties": parties}, {**CONSENT, **odd}]
    assert content(from_events(events)) == content(from_events([MESSAGE, CONSENT]))


def test_what_json_cannot_say_is_no_event_without_a_known_name() -> None:
    for event in ({"event": "Nope", "x": object()}, {"x": object()}, object()):
        (reason,) = reasons(from_events([event])).values()  # type: ignore[list-item]  # bad ones
        assert reason.startswith("the event can't be written as JSON: ")


def test_what_contains_itself_is_a_dead_letter() -> None:
    event: dict[str, Any] = {**MESSAGE}
    event["dataset"] = event
    assert list(reasons(from_events([event]))) == [0]


def test_a_reason_does_not_repeat_what_could_be_the_text_of_a_message() -> None:
    secret = "meet me at noon"  # noqa: S105 - the text of a message
    wrong = [{**e, name: secret} for e in GOOD for name in e if not name.endswith(("_id", "event"))]
    wrong += [{"event": secret}, {**MESSAGE, "channel": [secret]}, secret]  # type: ignore[list-item]
    letters = from_events(wrong).dead_letters
    assert letters
    assert all(secret not in letter.reason and secret not in repr(letter) for letter in letters)


def test_no_events_are_an_empty_batch() -> None:
    assert content(from_events([])) == content(Batch.empty())
    assert from_json_lines([b"", b"\n"], "a.jsonl").events == 0


@given(read_events)
def test_every_event_that_keeps_the_contract_is_taken(event: Event) -> None:
    batch = from_events([event])
    assert (batch.events, batch.dead_letters) == (1, ())


@pytest.mark.slow
@tried(150)
@given(st.lists(near_events(), min_size=1, max_size=4))
def test_an_event_is_judged_the_same_alone_as_among_others(events: list[Event]) -> None:
    together = from_events(events)
    alone = [from_events([event]) for event in events]
    judged = {i: r for i, batch in enumerate(alone) for r in reasons(batch).values()}
    assert reasons(together) == judged
    assert content(together) == content(Batch.concat(alone))
    words = {i: wrong_with(by_name(e["event"]), e) for i, e in enumerate(events)}
    assert judged == {i: reason for i, reason in words.items() if reason}


def test_rows_are_numbered_without_a_double() -> None:
    batch = Batch.concat([from_events(GOOD), from_events([5, *GOOD]), from_events(GOOD)])  # type: ignore[list-item]
    for table in MAIN:
        assert getattr(batch, table)["row"].to_list() == [0, 1, 2]
    assert batch.hop_inputs.rows() == [(row, r) for row in range(3) for r in ("m1", "m2")]
    assert batch.events == 3 * len(GOOD)
    assert len(batch.dead_letters) == 1


def test_a_thousand_lines_with_one_that_is_wrong_lose_only_that() -> None:
    lines = [orjson.dumps({**MESSAGE, "message_id": f"m{i}"}) for i in range(1000)]
    lines[700] = orjson.dumps({**MESSAGE, "parties": [{"role": 5}]})
    batch = from_json_lines(lines, "a.jsonl")
    assert list(reasons(batch)) == [701]
    assert batch.messages["message_id"].to_list() == [f"m{i}" for i in range(1000) if i != 700]
    assert batch.messages["position"].to_list() == [i for i in range(1, 1001) if i != 701]


@pytest.mark.parametrize("instant", ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00"])
def test_a_leap_second_is_told_as_one(instant: str) -> None:
    batch = from_events([{**MESSAGE, "sent_at": instant}])
    assert "a leap second (:60) is no instant here" in reasons(batch)[0]
    batch = from_events([{**MESSAGE, "sent_at": "text with :60Z"}])
    assert "leap" not in reasons(batch)[0]

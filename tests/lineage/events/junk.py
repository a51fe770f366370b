"""Events that break the contract, under ids that good events use too: each is a dead letter."""

from hypothesis import strategies as st

from tests.lineage.events.builders import (
    Event,
    consent,
    declared,
    document,
    hop,
    message,
    party,
    policy,
)

SENDER, RECIPIENT = party("SENDER", "a"), party("RECIPIENT", "b")
GOOD_RULE = ("r", "LOW", "true")


def without(event: Event, name: str) -> Event:
    return {key: value for key, value in event.items() if key != name}


def publishing(text: str) -> Event:
    return {**policy("a"), "document": text}


JUNK: tuple[Event, ...] = (
    {},
    {**message("a"), "event": "MessageRead"},
    without(message("a"), "event"),
    # Fields.
    without(message("a"), "message_id"),
    without(message("a"), "sent_at"),
    {**message("a"), "message_id": None},
    {**message("a"), "message_id": 7},
    message(""),
    message("x" * 257),
    message("é" * 129),
    message("a", channel="EMAIL"),
    message("a", sent_at="2024-09-18T00:00:00"),
    message("a", sent_at="1969-12-31T23:59:59Z"),
    message("a", sent_at="2024-02-30T00:00:00Z"),
    {**consent("a", granted=True), "granted": "true"},
    {**consent("a", granted=True), "granted": 1},
    declared("a", "inbox", "DATABASE"),
    # Parties.
    message("a", parties=[]),
    message("a", parties=[SENDER]),
    message("a", parties=[RECIPIENT, RECIPIENT]),
    message("a", parties=[SENDER, SENDER, RECIPIENT]),
    message("a", parties=[SENDER, {**RECIPIENT, "tier": "GOLD"}]),
    message("a", parties=[SENDER, without(RECIPIENT, "third_party_consent")]),
    # Records.
    hop("a", "inbox", "lake", []),
    hop("a", "inbox", "lake", [""]),
    hop("a", "inbox", "lake", ["a"], [""]),
    {**hop("a", "inbox", "lake", ["a"]), "inputs": "a"},
    hop("a", "inbox", "lake", ["a"], operation="DELETE"),
    {**hop("a", "inbox", "lake", ["a"]), "declassification": {"method": "k-anonymity"}},
    # Policies.
    publishing(""),
    publishing("[]"),
    publishing("rules: []"),
    publishing(document([GOOD_RULE])[:-1] + ', "more": 1}'),
    publishing(document([GOOD_RULE, GOOD_RULE])),
    publishing(document([("r", "URGENT", "true")])),
    publishing(document([("r", "LOW", "confidential) or (true")])),
    publishing(document([("r", "LOW", "exists (select 1)")])),
    publishing(document([("r", "LOW", "random() < 2")])),
    publishing(document([("r", "LOW", "text = 'hello'")])),
    publishing(document([("r", "LOW", "true; drop table message")])),
    publishing(document([("r", "LOW", "true -- comment")])),
    publishing(document([("r", "LOW", "count(*) > 0")])),
    publishing(document([("r", "LOW", "dataset")])),
)


def junk() -> st.SearchStrategy[Event]:
    return st.sampled_from(JUNK)

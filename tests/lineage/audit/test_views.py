"""Views that are more than a table: the policy of every flag, and who consented to what."""

from __future__ import annotations

from typing import Any

from hypothesis import given

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
from tests.lineage.events.logs import History, histories
from tests.properties import tried
from tests.stores import new_store

CORPUS = declared("d", "corpus", "TRAINING_CORPUS")
PARTIES = (party("SENDER", "ann"), party("RECIPIENT", "bob", ai=False))
EVENTS: list[Event] = [
    message("m", parties=PARTIES),
    CORPUS,
    hop("h", "inbox", "corpus", moved_at=at(10)),
    hop("g", "inbox", "corpus", outputs=["late"], moved_at=at(20)),
    consent("c", "ann", granted=False, effective_at=at(15)),
    consent("e", "ann", granted=True, effective_at=at(15)),
    consent("f", "bob", granted=True, effective_at=at(20)),
]


def test_every_flag_has_its_policy_the_built_in_one_too() -> None:
    later = policy("later", [("mine", "LOW", "kind = 'TRAINING_CORPUS'")], effective_at=at(15))
    with new_store() as store:
        store.apply([*EVENTS, later])
        held = store.sql("SELECT policy_id FROM flag JOIN policy USING (policy_id)").fetchall()
        assert len(held) == len(store.flags().fetchall())
        assert {one for (one,) in held} == {"built-in", "later"}
        ever = store.sql("FROM policy WHERE policy_id = 'built-in'").fetchone()
        assert ever is not None
        assert str(ever[1]) == str(ever[2]) == "1970-01-01 00:00:00"
        assert "confidential-inmail-to-third-party" in ever[3]


def test_the_consent_of_each_party_is_as_of_the_arrival() -> None:
    query = """
        SELECT hop_id, member_id, ai_training_consent,
            strftime(ai_training_changed_at, '%H:%M'), third_party_consent, third_party_changed_at
        FROM party_consent WHERE dataset = 'corpus' ORDER BY hop_id DESC, member_id"""
    with new_store() as store:
        store.apply(EVENTS)
        assert store.sql(query).fetchall() == [
            ("h", "ann", True, None, True, None),
            ("h", "bob", False, None, True, None),
            # Of two changes at one instant the refusal counts.
            ("g", "ann", False, "00:15", True, None),
            ("g", "bob", True, "00:20", True, None),
        ]


def test_whose_refusal_raised_a_flag_is_one_join() -> None:
    query = """
        SELECT member_id, role FROM flag JOIN party_consent USING (message_id, dataset)
        WHERE rule = 'ai-training-without-consent' AND hop_id = first_hop
            AND NOT ai_training_consent"""
    with new_store() as store:
        store.apply(EVENTS)
        assert store.sql(query).fetchall() == [("bob", "RECIPIENT")]


@tried(6)
@given(histories())
def test_a_message_has_the_consent_that_every_party_has(history: History) -> None:
    query = """
        SELECT message_id, hop_id, dataset, record_id, bool_and(ai_training_consent),
            bool_and(third_party_consent)
        FROM party_consent GROUP BY ALL"""
    facts = """
        SELECT message_id, hop_id, dataset, record_id, ai_training_consent, third_party_consent
        FROM fact"""
    with new_store() as store:
        for batch in history.batches:
            store.apply(batch)
        found: list[Any] = store.sql(query).fetchall()
        assert sorted(found, key=repr) == sorted(store.sql(facts).fetchall(), key=repr)

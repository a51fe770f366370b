import json
from pathlib import Path

import pytest

from lineage import codec
from lineage.codec import EventType
from lineage.codec.contract import events
from tests.lineage.codec.examples import FLAG, GOOD, TYPES

FOLDER = Path(__file__).parents[4] / "schemas"


def test_the_topics_are_those_of_the_contract() -> None:
    assert [(e.name, e.topic, e.id_field) for e in TYPES] == [
        ("MessageSent", "messaging.message.sent.v1", "message_id"),
        ("RecordsMoved", "lineage.records.moved.v1", "hop_id"),
        ("ConsentChanged", "messaging.consent.changed.v1", "change_id"),
        ("DatasetDeclared", "lineage.dataset.declared.v1", "declaration_id"),
        ("PolicyPublished", "lineage.policy.published.v1", "policy_id"),
        ("RunReported", "lineage.run.reported.v1", "report_id"),
        ("FlagRaised", "lineage.flag.raised.v1", "message_id"),
    ]
    assert all(codec.by_name(e.name) is e is codec.by_topic(e.topic) for e in TYPES)


def test_the_fields_are_those_of_the_contract() -> None:
    for example, event in zip((*GOOD, FLAG), TYPES, strict=True):
        assert [f.name for f in event.fields] == [name for name in example if name != "event"]


def test_the_values_to_choose_from_are_those_of_the_contract() -> None:
    assert events.CHANNELS == ("INMAIL", "DIRECT", "GROUP")
    assert events.ROLES == ("SENDER", "RECIPIENT")
    assert events.TIERS == (
        "FREE", "PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER",
    )  # fmt: skip
    assert events.OPERATIONS == (
        "COPY", "TRANSFORM", "JOIN", "AGGREGATE", "ANONYMIZE", "EMBED", "TRAIN", "EXPORT", "READ",
    )  # fmt: skip
    assert events.PURPOSES == ("AI_TRAINING", "THIRD_PARTY")
    assert events.BASES == ("MEMBER", "DEFAULT", "POLICY")
    assert events.KINDS == (
        "TOPIC", "TABLE", "FEATURE_STORE", "TRAINING_CORPUS", "MODEL", "SINK",
    )  # fmt: skip
    assert events.PARTIES == ("FIRST", "THIRD")
    assert events.SEVERITIES == ("LOW", "MEDIUM", "HIGH", "CRITICAL")
    assert events.STATUSES == ("RAISED", "CLEARED")


@pytest.mark.parametrize("event", TYPES, ids=lambda e: e.name)
def test_every_schema_and_field_says_what_it_means(event: EventType) -> None:
    assert not list(_undocumented(json.loads(event.schema)))


def _undocumented(avro: object) -> list[str]:
    if isinstance(avro, list):
        return [name for branch in avro for name in _undocumented(branch)]
    if not isinstance(avro, dict):
        return []
    found = [] if "doc" in avro or "name" not in avro else [avro["name"]]
    if isinstance(avro.get("type"), dict | list):
        found += _undocumented(avro["type"])
    for inner in (*avro.get("fields", ()), avro.get("items")):
        found += _undocumented(inner)
    return found


def test_the_table_of_ids_names_every_schema_once() -> None:
    table = json.loads((FOLDER / "ids.json").read_text())
    assert {entry["subject"] for entry in table.values()} == {e.subject for e in TYPES}
    assert {entry["file"] for entry in table.values()} == {p.name for p in FOLDER.glob("*.avsc")}

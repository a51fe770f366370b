"""The event types: six that are read, one that is produced."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pkgutil import get_data

from .fields import Field, fields_of

# Of the package that this room is part of: here `lineage`, in other people's jobs the SDK, whose
# import importlib.resources would make a third longer.
_SCHEMAS = f"{__name__.partition('.')[0]}.schemas"


@dataclass(frozen=True)
class EventType:
    """An event type.

    name: the JSON "event" value and the name of the Avro record.
    topic: the Kafka topic that carries it.
    id_field: the field that its events are known by (a flag is known by rule, message and
        dataset; its id field, the message, is the part that its topic is keyed by).
    schema: the text of its .avsc file.
    """

    name: str
    topic: str
    id_field: str
    schema: str = field(repr=False)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Return the fields in the order of the schema."""
        return fields_of(json.loads(self.schema))

    @cached_property
    def instant_field(self) -> str:
        """Return the name of the field that says when an event happened, or from when it holds."""
        return next(field.name for field in self.fields if field.kind == "instant")

    @property
    def subject(self) -> str:
        """Return the subject: the name of the schema's history in a schema registry."""
        return f"{self.topic}-value"


def _event(name: str, topic: str, id_field: str, file: str) -> EventType:
    return EventType(name, topic, id_field, (get_data(_SCHEMAS, file) or b"").decode())


MESSAGE_SENT = _event("MessageSent", "messaging.message.sent.v1", "message_id", "message_sent.avsc")
RECORDS_MOVED = _event("RecordsMoved", "lineage.records.moved.v1", "hop_id", "records_moved.avsc")
CONSENT_CHANGED = _event(
    "ConsentChanged", "messaging.consent.changed.v1", "change_id", "consent_changed.avsc"
)
DATASET_DECLARED = _event(
    "DatasetDeclared", "lineage.dataset.declared.v1", "declaration_id", "dataset_declared.avsc"
)
POLICY_PUBLISHED = _event(
    "PolicyPublished", "lineage.policy.published.v1", "policy_id", "policy_published.avsc"
)
RUN_REPORTED = _event("RunReported", "lineage.run.reported.v1", "report_id", "run_reported.avsc")
FLAG_RAISED = _event("FlagRaised", "lineage.flag.raised.v1", "message_id", "flag_raised.avsc")

INPUTS: tuple[EventType, ...] = (
    MESSAGE_SENT,
    RECORDS_MOVED,
    CONSENT_CHANGED,
    DATASET_DECLARED,
    POLICY_PUBLISHED,
    RUN_REPORTED,
)
_BY_NAME = {event.name: event for event in (*INPUTS, FLAG_RAISED)}
_BY_TOPIC = {event.topic: event for event in (*INPUTS, FLAG_RAISED)}


def by_name(name: str) -> EventType:
    """Return the event type with this name, of all seven; raise KeyError if there is none."""
    return _BY_NAME[name]


def by_topic(topic: str) -> EventType:
    """Return the event type that a topic carries, of all seven; raise KeyError if there is none.

    In front of a topic's name in Kafka may be a prefix of the place's own, such as "eu.".
    """
    found = _BY_TOPIC.get(topic)
    if found is None:
        found = next((event for name, event in _BY_TOPIC.items() if topic.endswith(name)), None)
    if found is None:
        raise KeyError(topic)
    return found


def _symbols(event: EventType, *path: str) -> tuple[str, ...]:
    fields = event.fields
    for name in path[:-1]:
        fields = next(f.fields for f in fields if f.name == name)
    return next(f.symbols for f in fields if f.name == path[-1])


CHANNELS = _symbols(MESSAGE_SENT, "channel")
ROLES = _symbols(MESSAGE_SENT, "parties", "role")
TIERS = _symbols(MESSAGE_SENT, "parties", "tier")
OPERATIONS = _symbols(RECORDS_MOVED, "operation")
PURPOSES = _symbols(CONSENT_CHANGED, "purpose")
BASES = _symbols(CONSENT_CHANGED, "basis")
KINDS = _symbols(DATASET_DECLARED, "kind")
PARTIES = _symbols(DATASET_DECLARED, "party")
STATES = _symbols(RUN_REPORTED, "state")
SEVERITIES = _symbols(FLAG_RAISED, "severity")
STATUSES = _symbols(FLAG_RAISED, "status")

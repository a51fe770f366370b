"""Events as the reference reads them: instants, identity and conflicts, policy documents."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785
import yaml

Event = dict[str, Any]
Row = tuple[Any, ...]

ID_FIELD = {
    "MessageSent": "message_id",
    "RecordsMoved": "hop_id",
    "ConsentChanged": "change_id",
    "DatasetDeclared": "declaration_id",
    "PolicyPublished": "policy_id",
    "RunReported": "report_id",
}
FIELDS = {
    "MessageSent": ("message_id", "channel", "parties", "dataset", "sent_at"),
    "RecordsMoved": (
        *("hop_id", "run_id", "job", "operation", "source", "target"),
        *("inputs", "outputs", "declassification", "moved_at"),
    ),
    "ConsentChanged": ("change_id", "member_id", "purpose", "granted", "basis", "effective_at"),
    "DatasetDeclared": ("declaration_id", "dataset", "kind", "party", "recipient", "declared_at"),
    "PolicyPublished": ("policy_id", "effective_at", "disclosed_at", "document"),
    "RunReported": (*("report_id", "run_id", "job", "state", "hops", "records", "reported_at"),),
}
PARTY_FIELDS = (
    *("role", "member_id", "tier", "region"),
    *("ai_training_consent", "third_party_consent"),
)
INSTANTS = {"sent_at", "moved_at", "effective_at", "declared_at", "disclosed_at", "reported_at"}


@dataclass(frozen=True)
class Policy:
    """A policy document, parsed; `disclosed_at` None means never disclosed."""

    policy_id: str
    effective_at: datetime
    disclosed_at: datetime | None
    paying_tiers: frozenset[str]
    exempt_regions: frozenset[str]
    accepted: tuple[tuple[str, int], ...]  # (method, min_k)
    rules: tuple[tuple[str, str, str], ...]  # (id, severity, when)


EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
TRAINING = "kind in ('TRAINING_CORPUS', 'MODEL')"
BUILT_IN = Policy(
    policy_id="built-in",
    effective_at=datetime.min,
    disclosed_at=datetime.min,  # since ever
    paying_tiers=frozenset({"PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER"}),
    exempt_regions=frozenset(f"{EU} IS LI NO GB CH CA HK CN".split()),
    accepted=(),
    rules=(
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
            f"confidential and identifiable and {TRAINING}",
        ),
        ("exempt-region-in-ai-training", "HIGH", f"exempt_region and {TRAINING}"),
        ("ai-training-without-consent", "HIGH", f"not ai_training_consent and {TRAINING}"),
        ("ai-training-before-disclosure", "MEDIUM", f"not disclosed and {TRAINING}"),
    ),
)


def instant(text: str) -> datetime:
    """An RFC 3339 instant as a naive datetime in UTC."""
    match = re.fullmatch(r"(.{10}).(.{8})(?:\.(\d{1,6}))?(?:[Zz]|([+-])(\d\d):(\d\d))", text)
    if match is None:
        raise ValueError(f"not an instant: {text}")
    date, time, fraction, sign, hours, minutes = match.groups()
    local = datetime.fromisoformat(f"{date}T{time}.{(fraction or '').ljust(6, '0')}")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return local + offset if sign == "-" else local - offset


# ---- 1. identity -------------------------------------------------------------------------------


def current(event: Event) -> Event:
    """The event with exactly the fields of its type, null where absent, sets as sorted lists."""
    kept = {name: event.get(name) for name in FIELDS[event["event"]]}
    if event["event"] == "MessageSent":
        kept["parties"] = [{name: one[name] for name in PARTY_FIELDS} for one in event["parties"]]
    if event["event"] == "RecordsMoved":
        kept["inputs"] = sorted(set(event["inputs"]))
        kept["outputs"] = sorted(set(event["outputs"]))
        if (declass := event.get("declassification")) is not None:
            kept["declassification"] = {"method": declass["method"], "k": declass["k"]}
    return {"event": event["event"], **kept}


def canonical(event: Event) -> bytes:
    """RFC 8785 of the event as `current` gives it, instants with six digits and Z."""
    plain = {
        name: f"{instant(value).isoformat(timespec='microseconds')}Z"
        if name in INSTANTS and value is not None
        else value
        for name, value in current(event).items()
    }
    return rfc8785.dumps(plain)


def sha256_of(event: Event) -> str:
    return hashlib.sha256(canonical(event)).hexdigest()


def variants(events: Iterable[Event]) -> dict[tuple[str, str], dict[str, Event]]:
    """(event, id) -> SHA-256 -> event: every distinct content that came under the id."""
    found: dict[tuple[str, str], dict[str, Event]] = defaultdict(dict)
    for event in events:
        key = (event["event"], event[ID_FIELD[event["event"]]])
        found[key][sha256_of(event)] = current(event)
    return found


def parsed(event: Event) -> Event:
    """The event with its instants as datetimes."""
    return {
        name: instant(value) if name in INSTANTS and value is not None else value
        for name, value in event.items()
    }


class Log:
    """The events that count, by type, each once; and what conflicted."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.by_type: dict[str, list[Event]] = {name: [] for name in ID_FIELD}
        self.conflicts: set[Row] = set()
        for (event, id_), contents in variants(events).items():
            winner = min(contents)
            self.by_type[event].append(parsed(contents[winner]))
            if len(contents) > 1:
                for sha256, content in contents.items():
                    text = canonical(content).decode()
                    self.conflicts.add((event, id_, sha256, text, sha256 == winner))
        self.messages = self.by_type["MessageSent"]
        self.hops = self.by_type["RecordsMoved"]
        self.consents = self.by_type["ConsentChanged"]
        self.declarations = self.by_type["DatasetDeclared"]
        self.policies = [parse_policy(event) for event in self.by_type["PolicyPublished"]]


def parse_policy(event: Event) -> Policy:
    document = yaml.safe_load(event["document"])
    return Policy(
        policy_id=event["policy_id"],
        effective_at=event["effective_at"],
        disclosed_at=event["disclosed_at"],
        paying_tiers=frozenset(document["paying_tiers"]),
        exempt_regions=frozenset(document["ai_training_exempt_regions"]),
        accepted=tuple((one["method"], one["min_k"]) for one in document["declassification"]),
        rules=tuple((one["id"], one["severity"], one["when"]) for one in document["rules"]),
    )

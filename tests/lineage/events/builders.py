"""Events in the JSON spelling, built with as little as an example needs to say.

Every builder gives a valid event; what an example does not name has a harmless default:
an INMAIL from a paying sender to a free recipient, both in the US, both consenting to all.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

Event = dict[str, Any]

PAYING_TIERS = ("PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER")


def at(minute: int, micro: int = 0) -> str:
    """The instant `minute` minutes and `micro` microseconds into 18 September 2024."""
    return f"2024-09-18T{minute // 60:02}:{minute % 60:02}:00.{micro:06}Z"


def party(
    role: str,
    member_id: str,
    *,
    tier: str = "FREE",
    region: str = "US",
    ai: bool = True,
    third: bool = True,
) -> Event:
    return {
        "role": role,
        "member_id": member_id,
        "tier": tier,
        "region": region,
        "ai_training_consent": ai,
        "third_party_consent": third,
    }


SENDER = party("SENDER", "ann", tier="SALES_NAVIGATOR")
RECIPIENT = party("RECIPIENT", "bob")


def message(
    message_id: str = "m",
    *,
    sent_at: str = at(0),
    dataset: str = "inbox",
    channel: str = "INMAIL",
    parties: Sequence[Event] = (SENDER, RECIPIENT),
) -> Event:
    return {
        "event": "MessageSent",
        "message_id": message_id,
        "channel": channel,
        "parties": [dict(one) for one in parties],
        "dataset": dataset,
        "sent_at": sent_at,
    }


def hop(
    hop_id: str,
    source: str,
    target: str,
    inputs: Iterable[str] = ("m",),
    outputs: Iterable[str] = (),
    *,
    moved_at: str = at(10),
    operation: str = "COPY",
    declassification: tuple[str, int] | None = None,
) -> Event:
    """`declassification` is (method, k)."""
    return {
        "event": "RecordsMoved",
        "hop_id": hop_id,
        "run_id": "run",
        "job": "job",
        "operation": operation,
        "source": source,
        "target": target,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "declassification": None
        if declassification is None
        else {"method": declassification[0], "k": declassification[1]},
        "moved_at": moved_at,
    }


def consent(
    change_id: str,
    member_id: str = "ann",
    *,
    granted: bool,
    purpose: str = "AI_TRAINING",
    effective_at: str = at(5),
) -> Event:
    return {
        "event": "ConsentChanged",
        "change_id": change_id,
        "member_id": member_id,
        "purpose": purpose,
        "granted": granted,
        "basis": "MEMBER",
        "effective_at": effective_at,
    }


def declared(
    declaration_id: str,
    dataset: str,
    kind: str = "TABLE",
    party: str = "FIRST",
    recipient: str | None = None,
    *,
    declared_at: str = at(0),
) -> Event:
    return {
        "event": "DatasetDeclared",
        "declaration_id": declaration_id,
        "dataset": dataset,
        "kind": kind,
        "party": party,
        "recipient": recipient,
        "declared_at": declared_at,
    }


def reported(
    report_id: str,
    run_id: str,
    state: str = "COMPLETE",
    *,
    hops: int = 0,
    records: int = 0,
    reported_at: str = at(0),
) -> Event:
    return {
        "event": "RunReported",
        "report_id": report_id,
        "run_id": run_id,
        "job": "nightly",
        "state": state,
        "hops": hops,
        "records": records,
        "reported_at": reported_at,
    }


def document(
    rules: Iterable[tuple[str, str, str]] = (),
    *,
    paying_tiers: Iterable[str] = PAYING_TIERS,
    exempt_regions: Iterable[str] = (),
    declassification: Iterable[tuple[str, int]] = (),
) -> str:
    """A policy document; a rule is (id, severity, when), a declassification (method, min_k).

    Written as JSON, which is YAML: strings are quoted, so that `NO` is Norway and not false.
    """
    content = {
        "paying_tiers": list(paying_tiers),
        "ai_training_exempt_regions": list(exempt_regions),
        "declassification": [{"method": method, "min_k": k} for method, k in declassification],
        "rules": [{"id": id_, "severity": level, "when": when} for id_, level, when in rules],
    }
    # YAML reads an escaped surrogate pair as two characters: write every character as it is.
    return json.dumps(content, ensure_ascii=False)


def policy(
    policy_id: str,
    rules: Iterable[tuple[str, str, str]] = (),
    *,
    effective_at: str = at(0),
    disclosed_at: str | None = None,
    paying_tiers: Iterable[str] = PAYING_TIERS,
    exempt_regions: Iterable[str] = (),
    declassification: Iterable[tuple[str, int]] = (),
) -> Event:
    return {
        "event": "PolicyPublished",
        "policy_id": policy_id,
        "effective_at": effective_at,
        "disclosed_at": disclosed_at,
        "document": document(
            rules,
            paying_tiers=paying_tiers,
            exempt_regions=exempt_regions,
            declassification=declassification,
        ),
    }

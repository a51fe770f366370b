"""Payloads: flags as Alertmanager's v2 API and as CloudEvents 1.0 have them; ids, and no more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

__all__ = ["alerts_of", "cloud_event", "fingerprint", "standing_alert"]

Flag = Mapping[str, Any]
_ALERT = "MessageLineageFlag"
_SOURCE = "urn:message-lineage"
_TOLD = (
    "policy_id", "first_at", "last_at", "arrivals", "first_hop", "job", "run_id", "source",
    "recipient",
)  # fmt: skip


def fingerprint(flag: Flag) -> str:
    """Return what a flag is known by, the same when it is told again, changed and cleared."""
    place = [flag["rule"], flag["message_id"], flag["dataset"]]
    text = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def standing_alert(
    flag: Flag, now: datetime, hold_seconds: float, console: str | None
) -> dict[str, Any]:
    """Return an alert that fires from now on. now: UTC."""
    return _alert(flag, flag["severity"], now, now + timedelta(seconds=hold_seconds), console)


def alerts_of(
    change: Flag,
    severities: Sequence[str],
    now: datetime,
    hold_seconds: float,
    console: str | None,
) -> list[dict[str, Any]]:
    """Return the alerts that a change of a flag comes to. now: UTC.

    Alertmanager knows an alert by its labels. The severity is one of them, so a flag that has
    changed ends the alerts of the severities that it does not have.
    """
    severity = change["severity"]
    if change["status"] == "CLEARED":
        return [_alert(change, severity, now, now, console)] if severity in severities else []
    found = []
    if change["updated"]:
        others = (each for each in severities if each != severity)
        found = [_alert(change, each, now, now, console) for each in others]
    if severity in severities:
        found.append(standing_alert(change, now, hold_seconds, console))
    return found


def cloud_event(change: Flag, console: str | None) -> dict[str, Any]:
    """Return a change of a flag as a CloudEvent in structured mode.

    `id` is the same whenever the change is told, and `data.fingerprint` for all changes of a flag.
    """
    status = "updated" if change["updated"] else str(change["status"]).lower()
    names = ("rule", "severity", "message_id", "dataset", *_TOLD)
    data = {name: _plain(change[name]) for name in names}
    event = {
        "specversion": "1.0",
        "id": f"{fingerprint(change)}-{change['seq']}",
        "source": _SOURCE,
        "type": f"message-lineage.flag.{status}",
        "subject": change["message_id"],
        "datacontenttype": "application/json",
        "data": data | {"fingerprint": fingerprint(change), "link": _link(change, console)},
    }
    if change["recorded_at"] is not None:
        event["time"] = _plain(change["recorded_at"])
    return event


def _alert(
    flag: Flag, severity: str, now: datetime, ends: datetime, console: str | None
) -> dict[str, Any]:
    # An instant ahead of this clock would be after the end of an alert that is cleared.
    begins = min(flag["first_at"].replace(tzinfo=UTC), now)
    told = {name: str(_plain(flag[name])) for name in _TOLD if flag.get(name) is not None}
    alert = {
        "labels": {
            "alertname": _ALERT,
            "rule": flag["rule"],
            "severity": severity.lower(),
            "message_id": flag["message_id"],
            "dataset": flag["dataset"],
        },
        "annotations": {
            "summary": f"{flag['rule']}: message {flag['message_id']} is in {flag['dataset']}",
            **told,
        },
        "startsAt": begins.isoformat(),
        "endsAt": ends.isoformat(),
    }
    link = _link(flag, console)
    return alert if link is None else {**alert, "generatorURL": link}


def _link(flag: Flag, console: str | None) -> str | None:
    return None if console is None else f"{console}/message/{quote(flag['message_id'], safe='')}"


def _plain(value: object) -> object:
    """Return a value as JSON has it; an instant is UTC."""
    return value.isoformat(timespec="microseconds") + "Z" if isinstance(value, datetime) else value

"""A message: its route along time, the rules it breaks in words, and what holds it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.console.drawings.lanes import lanes
from streams.console.page.contents import Asked, MissingError, Page
from streams.console.page.rows import Rows, ask
from streams.console.page.rule_texts import with_rule_texts
from streams.console.words import breach_in_words

__all__ = ["message"]

_STEPS_MAX = 200


def message(asked: Asked) -> Page:
    """Return the page of a message."""
    key = asked.reader.key_of(asked.name)
    parties = Rows.of([]) if key is None else ask(asked.reader, "message/parties", message=key)
    if key is None or not parties.rows:
        raise MissingError(f"no message has the id {asked.name[:256]!r}")
    steps = _route(asked)
    flags = with_rule_texts(ask(asked.reader, "message/flags", message=key))
    arrivals = _arrivals(steps)
    most = asked.rows_max or _STEPS_MAX
    held = _held(arrivals)
    parts = {
        "route": Rows(steps.columns, steps.rows[:most], len(steps) > most),
        "flags": flags,
        "parties": parties,
        "held_by": Rows.of(held),
    }
    shown = {
        "id_text": asked.name,
        "first": arrivals[0] if arrivals else None,
        "arrivals": arrivals[:_STEPS_MAX],
        "arrivals_in_all": len(arrivals),
        "breaches": [{**flag, "words": breach_in_words(flag)} for flag in flags],
        "drawing": lanes(arrivals[:_STEPS_MAX]),
    }
    return Page("message.html", f"Message {asked.name}", parts, shown)


def _route(asked: Asked) -> Rows:
    found = asked.reader.route(asked.name)
    columns = found.columns
    return Rows(columns, [dict(zip(columns, row, strict=True)) for row in found.fetchall()])


def _arrivals(steps: Rows) -> list[dict[str, Any]]:
    """Return the steps, each arrival once, with the records that it came from."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in steps:
        key = (row["hop_id"], row["dataset"], row["record_id"])
        arrival = found.setdefault(key, {**row, "sources": []})
        if row["source"] is not None:
            arrival["sources"].append((row["source"], row["source_record_id"]))
    return list(found.values())


def _held(arrivals: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the datasets that hold the message now: what arrived stays."""
    found: dict[str, dict[str, Any]] = {}
    for arrival in arrivals:
        held = found.setdefault(
            arrival["dataset"],
            {
                "dataset": arrival["dataset"],
                "since": arrival["arrived_at"],
                "records": 0,
                "identifiable": False,
                "kind": arrival["kind"],
                "party": arrival["party"],
                "recipient": arrival["recipient"],
            },
        )
        held["records"] += 1
        held["identifiable"] |= arrival["identifiable"]
        held |= {name: arrival[name] for name in ("kind", "party", "recipient")}
    return list(found.values())

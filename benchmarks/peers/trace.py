"""Follows each message, in dictionaries; events may come in any order, and twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from benchmarks.peers.decode import Event

__all__ = ["PAYING_TIERS", "Arrival", "Flag", "Tracer"]

PAYING_TIERS = {"PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER"}
RULE = "confidential-inmail-to-third-party"

Place = tuple[str, str]
"""A record: its dataset and its id."""


class Arrival(NamedTuple):
    """A message in a record of a dataset, by a hop (the origin: none)."""

    message_id: str
    hop_id: str | None
    dataset: str
    record_id: str
    operation: str
    arrived_at: datetime


class Flag(NamedTuple):
    """A confidential InMail that reached a third party."""

    rule: str
    message_id: str
    dataset: str
    arrived_at: datetime


class Tracer:
    """Follows messages. declarations: all DatasetDeclared events, known beforehand."""

    def __init__(self, declarations: list[Event]) -> None:
        self._declared: dict[str, list[tuple[datetime, str, bool]]] = {}
        for event in declarations:
            found = event["declared_at"], event["declaration_id"], event["party"] == "THIRD"
            self._declared.setdefault(event["dataset"], []).append(found)
        for spans in self._declared.values():
            spans.sort()
        self._confidential: dict[str, bool] = {}
        self._inside: dict[Place, dict[str, datetime]] = {}
        self._out_of: dict[Place, list[Event]] = {}
        self._hops: set[str] = set()
        self._arrived: set[tuple[str, str | None, Place]] = set()
        self._flagged: set[tuple[str, str]] = set()

    def message(self, event: Event) -> Iterator[Arrival | Flag]:
        """Give what a message's arrival at its origin comes to; nothing for a second copy."""
        message_id = event["message_id"]
        if message_id in self._confidential:
            return
        self._confidential[message_id] = event["channel"] == "INMAIL" and any(
            party["tier"] in PAYING_TIERS for party in event["parties"]
        )
        origin = Arrival(message_id, None, event["dataset"], message_id, "SEND", event["sent_at"])
        yield from self._follow([origin])

    def hop(self, event: Event) -> Iterator[Arrival | Flag]:
        """Give what a hop comes to, for all that is in its inputs; nothing for a second copy."""
        if event["hop_id"] in self._hops:
            return
        self._hops.add(event["hop_id"])
        for record_id in event["inputs"]:
            place = event["source"], record_id
            self._out_of.setdefault(place, []).append(event)
            inside = self._inside.get(place, {})
            moved = [m for m, since in inside.items() if since <= event["moved_at"]]
            for message_id in moved:
                yield from self._follow(list(_by(event, message_id, record_id)))

    def _follow(self, waiting: list[Arrival]) -> Iterator[Arrival | Flag]:
        while waiting:
            arrival = waiting.pop()
            message_id, at = arrival.message_id, arrival.arrived_at
            place = arrival.dataset, arrival.record_id
            if (message_id, arrival.hop_id, place) in self._arrived:
                continue
            self._arrived.add((message_id, arrival.hop_id, place))
            yield arrival
            yield from self._judge(arrival)
            inside = self._inside.setdefault(place, {})
            if message_id in inside and inside[message_id] <= at:
                continue
            inside[message_id] = at
            for hop in self._out_of.get(place, ()):
                if at <= hop["moved_at"]:
                    waiting.extend(_by(hop, message_id, arrival.record_id))

    def _judge(self, arrival: Arrival) -> Iterator[Flag]:
        key = arrival.message_id, arrival.dataset
        if (
            self._confidential[arrival.message_id]
            and key not in self._flagged
            and self._third(arrival.dataset, arrival.arrived_at)
        ):
            self._flagged.add(key)
            yield Flag(RULE, *key, arrival.arrived_at)

    def _third(self, dataset: str, at: datetime) -> bool:
        """Tell if the dataset was a third party's by then; by its first declaration before it."""
        spans = self._declared.get(dataset)
        if not spans:
            return False
        third = spans[0][2]
        for declared_at, _, is_third in spans:
            if declared_at <= at:
                third = is_third
        return third


def _by(hop: Event, message_id: str, record_id: str) -> Iterator[Arrival]:
    for output in hop["outputs"] or (record_id,):
        yield Arrival(
            message_id, hop["hop_id"], hop["target"], output, hop["operation"], hop["moved_at"]
        )

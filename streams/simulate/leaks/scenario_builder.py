"""Builds the events of a planted leak or near miss: members, messages, hops, and what breaks.

A scenario is a function of a `ScenarioBuilder`. It says what happens, and at each hop which rule is
broken by which message: the expected flags are what the scenarios say, and nobody traces anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage.codec import RECORDS_MOVED, canonical_json
from streams.simulate.world import company, events, ids
from streams.simulate.world.members import REGIONS
from streams.simulate.world.random_stream import RandomStream

PAYING = ("PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER")
_EXEMPT = company.DEFAULT_ON_POLICY.exempt
FREE_REGIONS = tuple(r for r in REGIONS if r not in _EXEMPT)
"""Regions that are exempt under no policy."""
EXEMPT_REGIONS = tuple(r for r in REGIONS if r in _EXEMPT and r != "CN")
"""Regions that are exempt until the notice."""

_JOBS = {
    "COPY": "copy-records",
    "TRANSFORM": "transform-records",
    "JOIN": "join-records",
    "AGGREGATE": "aggregate-records",
    "ANONYMIZE": "anonymise-messages",
    "EMBED": "embed-messages",
    "TRAIN": "train-assistant",
    "EXPORT": "export-records",
    "READ": "read-records",
}


@dataclass(frozen=True)
class Member:
    """A member and their tags."""

    member_id: str
    tier: str
    region: str
    ai_training_consent: bool
    third_party_consent: bool


@dataclass(frozen=True)
class Record:
    """A record, and the messages that the scenario put into it."""

    record_id: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Break:
    """A rule broken by one arrival; `severity` is that of the policy as of `at`."""

    rule: str
    severity: str
    message_id: str
    dataset: str
    policy_id: str
    at: int
    hop_id: str


Breaks = Sequence[tuple[str, Record]]
"""Rules, each with the record whose messages break it."""


@dataclass
class InjectedEvents:
    """The events and broken rules that injections put into the log."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)
    messages: int = 0
    arrivals: int = 0

    def add(self, name: str, log_at: int, **row: object) -> None:
        """Put an event into the log."""
        self.rows.setdefault(name, []).append({**row, "log_at": log_at})


class ScenarioBuilder:
    """Builds the events of one injection, one after another, from `at` on (microseconds)."""

    def __init__(
        self, random_stream: RandomStream, at: int, first_member: int, into: InjectedEvents
    ) -> None:
        self.random_stream = random_stream
        self.at = at
        self._next_member = first_member
        self._into = into

    def later(self) -> int:
        """Let ten minutes to five hours pass; gives the instant, whole seconds."""
        self.at += (600 + self.random_stream.below(18_000)) * company.SECOND
        return self.at

    def member(
        self, tier: str | None = None, region: str | None = None, *, ai: bool = True
    ) -> Member:
        """Make a new member; of any tier, and of a region that no policy exempts, if not said."""
        number = self._next_member
        self._next_member += 1
        return Member(
            ids.member_id(number),
            self.random_stream.pick(("FREE", *PAYING)) if tier is None else tier,
            self.random_stream.pick(FREE_REGIONS) if region is None else region,
            ai,
            self.random_stream.below(2) == 0,
        )

    def send(self, channel: str, *parties: Member, at: int | None = None) -> Record:
        """Send a message from the first of the parties to the others."""
        sent_at = self.later() if at is None else at
        message_id = ids.one_uuid7(sent_at, self.random_stream)
        roles = ["SENDER"] + ["RECIPIENT"] * (len(parties) - 1)
        self._into.add(
            events.MESSAGE_SENT,
            sent_at,
            message_id=message_id,
            channel=channel,
            parties=[{"role": r, **vars(p)} for r, p in zip(roles, parties, strict=True)],
            dataset=company.ORIGIN,
            sent_at=sent_at,
        )
        self._into.messages += 1
        self._into.arrivals += 1
        return Record(message_id, (message_id,))

    def inmail(self) -> Record:
        """Send a confidential InMail: its sender pays, or its recipient, or both."""
        pays = [self.member(self.random_stream.pick(PAYING)), self.member()]
        if self.random_stream.below(2):
            pays.reverse()
        return self.send("INMAIL", *pays)

    def direct(self) -> Record:
        """Send a direct message; nobody's confidential InMail, whoever pays."""
        return self.send("DIRECT", self.member(), self.member())

    def move(
        self,
        operation: str,
        source: str,
        target: str,
        *inputs: Record,
        breaks: Breaks = (),
        carries: Sequence[Record] | None = None,
        outputs: Sequence[str] = (),
        k: int | None = None,
        at: int | None = None,
        log_at: int | None = None,
    ) -> None:
        """Move records by a hop, `at` an instant or some time later.

        carries: the records whose messages arrive, if not all. breaks: what its arrivals break,
        each once for every output. k: it declassifies by as much. log_at: when it comes in the
        log, if late.
        """
        moved_at = self.later() if at is None else at
        hop_id = ids.one_uuid7(moved_at, self.random_stream)
        self._into.add(
            events.RECORDS_MOVED,
            moved_at if log_at is None else log_at,
            hop_id=hop_id,
            run_id=ids.one_uuid7(moved_at, self.random_stream),
            job=_JOBS[operation],
            operation=operation,
            source=source,
            target=target,
            inputs=[record.record_id for record in inputs],
            outputs=list(outputs),
            declassification=None if k is None else {"method": company.METHOD, "k": k},
            moved_at=moved_at,
        )
        arriving = inputs if carries is None else carries
        carried = {message_id for record in arriving for message_id in record.messages}
        copies = max(1, len(outputs))
        self._into.arrivals += len(carried) * copies
        policy = company.policy_at(moved_at)
        self._into.breaks += [
            Break(
                rule=rule,
                severity=policy.severity[rule],
                message_id=message_id,
                dataset=target,
                policy_id=policy.policy_id,
                at=moved_at,
                hop_id=hop_id,
            )
            for rule, record in breaks
            for message_id in record.messages * copies
        ]

    def merge(
        self,
        operation: str,
        source: str,
        target: str,
        *inputs: Record,
        breaks: Breaks = (),
        at: int | None = None,
    ) -> Record:
        """Merge records by a hop that makes one new record of its inputs."""
        moved_at = self.later() if at is None else at
        record = Record(
            ids.one_uuid7(moved_at, self.random_stream),
            tuple(m for r in inputs for m in r.messages),
        )
        self.move(
            operation, source, target, *inputs,
            breaks=breaks, outputs=[record.record_id], at=moved_at,
        )  # fmt: skip
        return record

    def curate(self, *records: Record) -> None:
        """Bring messages into the curated table, as every ordinary message comes there."""
        self.move("COPY", company.ORIGIN, company.RAW, *records)
        self.move("TRANSFORM", company.RAW, company.CURATED, *records)

    def consent(
        self,
        member: Member,
        granted: bool,
        at: int,
        log_at: int | None = None,
        purpose: str = "AI_TRAINING",
    ) -> None:
        """Change a member's consent, by themselves, effective at an instant."""
        self._into.add(
            events.CONSENT_CHANGED,
            at if log_at is None else log_at,
            change_id=ids.one_uuid7(at, self.random_stream),
            member_id=member.member_id,
            purpose=purpose,
            granted=granted,
            basis="MEMBER",
            effective_at=at,
        )

    def contradict(self, target: str, *, wins: bool, carries: Sequence[Record] = ()) -> None:
        """Add a second copy of the last hop, an hour later in the log, that says another target.

        wins: it is the copy that counts, by its hash; otherwise the first one is. carries: the
        records that arrive by this copy.
        """
        hops = self._into.rows[events.RECORDS_MOVED]
        first = _sha256(hops[-1])
        while True:
            run_id = ids.one_uuid7(hops[-1]["moved_at"], self.random_stream)
            other = {**hops[-1], "target": target, "run_id": run_id}
            if (_sha256(other) < first) == wins:
                break
        other["log_at"] += company.HOUR
        hops.append(other)
        self._into.arrivals += sum(len(record.messages) for record in carries)

    def duplicate(self, name: str) -> None:
        """Add a second copy of the last event of a type, an hour later in the log."""
        row = dict(self._into.rows[name][-1])
        row["log_at"] += company.HOUR
        self._into.rows[name].append(row)


def _sha256(hop: dict[str, Any]) -> str:
    """Hash its canonical JSON: what decides which of two contents of a hop counts."""
    event = {name: value for name, value in hop.items() if name != "log_at"}
    event["moved_at"] = company.rfc3339(hop["moved_at"])
    return hashlib.sha256(canonical_json(RECORDS_MOVED, event)).hexdigest()

"""The semantics again, as plainly as Python can say them: what the tracker is held against.

Nothing here is incremental, vectorised or shared with the tracker. `reference` takes all the
events of a log at once, valid ones in the JSON spelling, in any order and with any repeats, and
says what the tables must hold. The numbers in the comments are the nine points of the semantics.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import duckdb

from tests.lineage.semantics.reference_log import BUILT_IN, Event, Log, Policy, Row, instant

# Point 6, in its order, and the column types that a rule sees.
FACTS = {
    "message_id": "VARCHAR",
    "channel": "VARCHAR",
    "confidential": "BOOLEAN",
    "exempt_region": "BOOLEAN",
    "ai_training_consent": "BOOLEAN",
    "third_party_consent": "BOOLEAN",
    "dataset": "VARCHAR",
    "declared": "BOOLEAN",
    "kind": "VARCHAR",
    "party": "VARCHAR",
    "recipient": "VARCHAR",
    "operation": "VARCHAR",
    "identifiable": "BOOLEAN",
    "disclosed": "BOOLEAN",
    "arrived_at": "TIMESTAMP",
}
ARRIVAL_COLUMNS = (
    *("message_id", "hop_id", "dataset", "record_id"),
    *("operation", "arrived_at", "identifiable"),
)
FACT_COLUMNS = (*FACTS, "hop_id", "record_id", "policy_id")
FLAG_COLUMNS = (
    *("rule", "severity", "message_id", "dataset", "policy_id"),
    *("first_at", "last_at", "arrivals", "first_hop"),
)
UNMATCHED_COLUMNS = (
    *("hop_id", "run_id", "job", "source", "record_id", "moved_at"),
    *("reason", "seen_at"),
)
CONFLICT_COLUMNS = ("event", "event_id", "sha256", "content", "counts")


@dataclass(frozen=True)
class Arrival:
    """One message arriving in one record; `hop_id` is None for its origin."""

    message_id: str
    hop_id: str | None
    dataset: str
    record_id: str
    operation: str
    arrived_at: datetime
    identifiable: bool


@dataclass(frozen=True)
class Expected:
    """What the tables must hold: rows in the order of the `*_COLUMNS` above."""

    arrivals: frozenset[Row]
    facts: frozenset[Row]
    flags: frozenset[Row]
    conflicts: frozenset[Row]
    unmatched: frozenset[Row]

    def places(self) -> set[tuple[str, str, str]]:
        """(message, dataset, record) wherever a message arrived."""
        return {(row[0], row[2], row[3]) for row in self.arrivals}

    def identifiable(self, dataset: str) -> set[tuple[str, str, bool]]:
        """(hop, record, identifiable) of the arrivals by a hop in the dataset."""
        return {(row[1], row[3], row[6]) for row in self.arrivals if row[2] == dataset and row[1]}

    def fact(self, name: str, hop_id: str | None) -> Any:  # noqa: ANN401 - a fact is of any type
        """The fact of the only arrival by that hop; of the origin's if the hop is None."""
        place = FACT_COLUMNS.index("hop_id")
        (row,) = [row for row in self.facts if row[place] == hop_id]
        return row[FACT_COLUMNS.index(name)]

    def flag(self, rule: str, dataset: str) -> dict[str, Any] | None:
        """The columns of the only flag of that rule in that dataset; None if there is none."""
        found = [row for row in self.flags if (row[0], row[3]) == (rule, dataset)]
        assert len(found) <= 1
        return dict(zip(FLAG_COLUMNS, found[0], strict=True)) if found else None

    def flagged(self) -> set[tuple[str, str]]:
        """(rule, dataset) of every flag."""
        return {(row[0], row[3]) for row in self.flags}


# ---- 5. as of ----------------------------------------------------------------------------------


def policy_as_of(log: Log, when: datetime) -> Policy:
    in_force = [one for one in log.policies if one.effective_at <= when]
    return max(in_force, key=lambda one: (one.effective_at, one.policy_id), default=BUILT_IN)


def declaration_as_of(log: Log, dataset: str, when: datetime) -> Event | None:
    all_of_it = [one for one in log.declarations if one["dataset"] == dataset]

    def order(one: Event) -> Row:
        return (one["declared_at"], one["declaration_id"])

    by_then = [one for one in all_of_it if one["declared_at"] <= when]
    return max(by_then, key=order) if by_then else min(all_of_it, key=order, default=None)


def party_consents(log: Log, party: Event, purpose: str, when: datetime) -> bool:
    changes = [
        one
        for one in log.consents
        if one["member_id"] == party["member_id"]
        and one["purpose"] == purpose
        and one["effective_at"] <= when
    ]
    if not changes:
        tag = {"AI_TRAINING": "ai_training_consent", "THIRD_PARTY": "third_party_consent"}
        return bool(party[tag[purpose]])
    latest = max(one["effective_at"] for one in changes)
    return all(one["granted"] for one in changes if one["effective_at"] == latest)


# ---- 2, 3, 4. reach, declassification, arrivals ------------------------------------------------


def declassifies(log: Log, hop: Event) -> bool:
    declass = hop["declassification"]
    return declass is not None and any(
        method == declass["method"] and declass["k"] >= min_k
        for method, min_k in policy_as_of(log, hop["moved_at"]).accepted
    )


def carried(log: Log, hop: Event, held: set[Row]) -> Iterator[tuple[str, str, bool]]:
    """(message, target record, identifiable) for all that the hop carried of what was held."""
    for message_id, dataset, record_id, since, identifiable in held:
        if dataset == hop["source"] and record_id in hop["inputs"] and since <= hop["moved_at"]:
            for output in hop["outputs"] or [record_id]:
                yield message_id, output, identifiable and not declassifies(log, hop)


def reach(log: Log) -> set[Row]:
    """The least fixpoint: (message, dataset, record, since, identifiable), both forms if both."""
    held: set[Row] = {
        (one["message_id"], one["dataset"], one["message_id"], one["sent_at"], True)
        for one in log.messages
    }
    while True:
        moved = {
            (message_id, hop["target"], record_id, hop["moved_at"], identifiable)
            for hop in log.hops
            for message_id, record_id, identifiable in carried(log, hop, held)
        }
        if moved <= held:
            return held
        held |= moved


def arrivals(log: Log) -> list[Arrival]:
    found = [
        Arrival(
            message_id=one["message_id"],
            hop_id=None,
            dataset=one["dataset"],
            record_id=one["message_id"],
            operation="SEND",
            arrived_at=one["sent_at"],
            identifiable=True,
        )
        for one in log.messages
    ]
    held = reach(log)
    for hop in log.hops:
        identifiable: dict[tuple[str, str], bool] = {}
        for message_id, record_id, form in carried(log, hop, held):
            identifiable[message_id, record_id] = form or identifiable.get(
                (message_id, record_id), False
            )
        found += [
            Arrival(
                message_id=message_id,
                hop_id=hop["hop_id"],
                dataset=hop["target"],
                record_id=record_id,
                operation=hop["operation"],
                arrived_at=hop["moved_at"],
                identifiable=form,
            )
            for (message_id, record_id), form in identifiable.items()
        ]
    return found


# ---- inputs that held nothing --------------------------------------------------------------------


def unmatched(log: Log) -> Iterator[Row]:
    """Each input of a hop that held no message at its instant, and what is known of it."""
    first: dict[tuple[str, str], datetime] = {}
    for _, dataset, record_id, since, _ in reach(log):
        place = (dataset, record_id)
        first[place] = min(since, first.get(place, since))
    spelled = {(folded(dataset), folded(record_id)) for dataset, record_id in first}
    for hop in log.hops:
        for record_id in set(hop["inputs"]):
            seen_at = first.get((hop["source"], record_id))
            if seen_at is not None and seen_at <= hop["moved_at"]:
                continue
            if seen_at is not None:
                reason = "SEEN_LATER"
            elif (folded(hop["source"]), folded(record_id)) in spelled:
                reason = "SPELLED_LIKE"
            else:
                reason = "NEVER_SEEN"
            said = (hop["hop_id"], hop["run_id"], hop["job"], hop["source"], record_id)
            yield (*said, hop["moved_at"], reason, seen_at)


def folded(name: str) -> str:
    """A name without its prefix, in one case and one Unicode form."""
    tail = re.split(r"[./:]", name)[-1]
    return unicodedata.normalize("NFC", (tail or name).lower())


# ---- 6. facts ----------------------------------------------------------------------------------


def facts_of(log: Log, arrival: Arrival) -> dict[str, Any]:
    when = arrival.arrived_at
    (message,) = [one for one in log.messages if one["message_id"] == arrival.message_id]
    policy = policy_as_of(log, when)
    declaration = declaration_as_of(log, arrival.dataset, when)
    parties = message["parties"]
    return {
        "message_id": arrival.message_id,
        "channel": message["channel"],
        "confidential": message["channel"] == "INMAIL"
        and any(one["tier"] in policy.paying_tiers for one in parties),
        "exempt_region": any(one["region"] in policy.exempt_regions for one in parties),
        "ai_training_consent": all(
            party_consents(log, one, "AI_TRAINING", when) for one in parties
        ),
        "third_party_consent": all(
            party_consents(log, one, "THIRD_PARTY", when) for one in parties
        ),
        "dataset": arrival.dataset,
        "declared": declaration is not None,
        "kind": declaration and declaration["kind"],
        "party": declaration and declaration["party"],
        "recipient": declaration and declaration["recipient"],
        "operation": arrival.operation,
        "identifiable": arrival.identifiable,
        "disclosed": policy.disclosed_at is not None and when >= policy.disclosed_at,
        "arrived_at": when,
    }


# ---- 7. rules and flags ------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def breaks(when: str, facts: Row) -> bool:
    """Whether the rule's SQL holds on one row of facts, in the order of FACTS; null is no.

    DuckDB passes over the offset of a TIMESTAMP, so it is given instants in UTC.
    """
    when = re.sub(r"'(\d{4}-\d\d-\d\dT[^']*)'", _in_utc, when)
    row = ", ".join(f'cast(? as {type_}) as "{name}"' for name, type_ in FACTS.items())
    answer = _duckdb().execute(f"select ({when}) from (select {row})", list(facts)).fetchone()
    return answer is not None and answer[0] is True


def _in_utc(literal: re.Match[str]) -> str:
    return f"'{instant(literal[1])}'"


@lru_cache(maxsize=1)
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def flags_of(judged: Sequence[tuple[Arrival, Policy, Row]]) -> Iterator[Row]:
    broken: dict[tuple[str, str, str], list[tuple[Arrival, Policy, str]]] = defaultdict(list)
    for arrival, policy, facts in judged:
        for rule, severity, when in policy.rules:
            if breaks(when, facts):
                broken[rule, arrival.message_id, arrival.dataset].append(
                    (arrival, policy, severity)
                )
    for (rule, message_id, dataset), those in broken.items():
        first, policy, severity = min(
            those,
            # The origin has no hop and comes first; then the smaller hop id.
            key=lambda one: (one[0].arrived_at, one[0].hop_id is not None, one[0].hop_id or ""),
        )
        yield (
            rule,
            severity,
            message_id,
            dataset,
            policy.policy_id,
            first.arrived_at,
            max(one.arrived_at for one, _, _ in those),
            len(those),
            first.hop_id,
        )


def reference(events: Iterable[Event]) -> Expected:
    """What the tables must hold once all of `events` were applied, however they came."""
    log = Log(events)
    found = arrivals(log)
    judged = []
    facts = set()
    for arrival in found:
        policy = policy_as_of(log, arrival.arrived_at)
        row = tuple(facts_of(log, arrival).values())
        judged.append((arrival, policy, row))
        facts.add((*row, arrival.hop_id, arrival.record_id, policy.policy_id))
    return Expected(
        arrivals=frozenset(tuple(vars(one)[name] for name in ARRIVAL_COLUMNS) for one in found),
        facts=frozenset(facts),
        flags=frozenset(flags_of(judged)),
        conflicts=frozenset(log.conflicts),
        unmatched=frozenset(unmatched(log)),
    )

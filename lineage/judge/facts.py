"""Facts: the columns that rules read, as of each arrival, in integers.

The view `fact` derives the same in SQL, for auditors; the tests compare both with one reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    AsOf,
    BoolArray,
    IntArray,
    differs,
    distinct,
    expand_ranges,
    instants,
    int_array,
    lookup_sorted,
    run_starts,
)
from lineage.codec.contract.events import CHANNELS, PURPOSES
from lineage.database.relations import execute_on
from lineage.database.statements import sql
from lineage.judge.consents import NO_DECISION, Consents
from lineage.judge.timeline import Timeline
from lineage.keys.keyed_batch import KeyedBatch
from lineage.reach.arrivals import Arrivals

_INMAIL = CHANNELS.index("INMAIL")


@dataclass(frozen=True)
class Parties:
    """Messages and their parties: `message` is the place in `channel` of each party's message."""

    channel: IntArray
    message: IntArray
    member: IntArray
    tier: IntArray
    region: IntArray
    tags: tuple[BoolArray, ...]  # by purpose, in the order of PURPOSES


@dataclass(frozen=True)
class Facts:
    """The facts of arrivals, one row each. policy, declaration: rows of `Timeline` (-1: none).

    consents: by purpose, in the order of PURPOSES.
    """

    arrivals: Arrivals
    policy: IntArray
    declaration: IntArray
    channel: IntArray
    confidential: BoolArray
    exempt_region: BoolArray
    consents: tuple[BoolArray, ...]
    disclosed: BoolArray

    def only(self, rows: IntArray) -> Facts:
        """Return the facts of some of the arrivals."""
        one = ("policy", "declaration", "channel", "confidential", "exempt_region", "disclosed")
        return Facts(
            arrivals=self.arrivals.only(rows),
            consents=tuple(consent[rows] for consent in self.consents),
            **{name: getattr(self, name)[rows] for name in one},
        )

    def with_identifiable_both(self) -> Iterator[Facts]:
        """Yield the same facts as if no arrival were identifiable, then as if all were."""
        for value in (False, True):
            identifiable = np.full(len(self.arrivals), value)
            yield replace(self, arrivals=replace(self.arrivals, identifiable=identifiable))

    def frame(self, timeline: Timeline, rows: IntArray) -> pl.DataFrame:
        """Return some rows in the columns of fact.sql, with `place`, the row."""
        arrivals = self.arrivals.only(rows)
        declaration = self.declaration[rows]
        declared = np.append(timeline.declaration_key, -1)[declaration]
        ai_training, third_party = self.consents
        return pl.DataFrame(
            {
                "place": rows,
                **{
                    name: getattr(arrivals, name)
                    for name in ("message", "hop", "dataset", "record")
                },
                "policy": timeline.policy_key[self.policy[rows]],
                "declaration": pl.Series(declared).set(pl.Series(declaration < 0), None),
                "channel": self.channel[rows],
                "confidential": self.confidential[rows],
                "exempt_region": self.exempt_region[rows],
                "ai_training_consent": ai_training[rows],
                "third_party_consent": third_party[rows],
                "operation": arrivals.operation,
                "identifiable": arrivals.identifiable,
                "disclosed": self.disclosed[rows],
                "arrived_at": instants(arrivals.arrived_at),
            }
        )


def facts_of(
    arrivals: Arrivals, parties: Parties, message: IntArray, timeline: Timeline, consents: Consents
) -> Facts:
    """Return the facts of `arrivals`, whose messages are at the places `message` of `parties`."""
    policy, declaration, disclosed = _as_of(arrivals, timeline)
    confidential, exempt_region = _by_policy(parties, message, policy, timeline)
    return Facts(
        arrivals=arrivals,
        policy=policy,
        declaration=declaration,
        channel=parties.channel[message],
        confidential=confidential,
        exempt_region=exempt_region,
        consents=tuple(
            _consent(parties, message, arrivals.arrived_at, consents, purpose)
            for purpose in range(len(PURPOSES))
        ),
        disclosed=disclosed,
    )


def _as_of(arrivals: Arrivals, timeline: Timeline) -> tuple[IntArray, IntArray, BoolArray]:
    """Return the policy, the declaration, and whether it was disclosed, as of each arrival."""
    # Arrivals by one hop, often in sequence, have one instant and one dataset.
    first = np.flatnonzero(differs(arrivals.hop) | (arrivals.hop == 0))
    count = np.diff(first, append=len(arrivals))
    dataset, at = arrivals.dataset[first], arrivals.arrived_at[first]
    policy = timeline.policies(at)
    declaration = timeline.declarations(dataset, at)
    disclosed = timeline.disclosed(policy, at)
    return np.repeat(policy, count), np.repeat(declaration, count), np.repeat(disclosed, count)


def _by_policy(
    parties: Parties, message: IntArray, policy: IntArray, timeline: Timeline
) -> tuple[BoolArray, BoolArray]:
    """Say whether each arrival's message is confidential, and in an exempt region."""
    first = run_starts(parties.message)
    tiers = np.bitwise_or.reduceat(1 << parties.tier, first)
    used = distinct(policy)
    inmail = parties.channel == _INMAIL
    confidential = np.array([inmail & (tiers & timeline.paying_tiers[p] != 0) for p in used])
    exempt = np.array(
        [np.logical_or.reduceat(timeline.exempt_regions[p][parties.region], first) for p in used]
    )
    if not len(used):
        return inmail, inmail
    place = np.searchsorted(used, policy)
    return confidential[place, message], exempt[place, message]


def _consent(
    parties: Parties, message: IntArray, at: IntArray, consents: Consents, purpose: int
) -> BoolArray:
    """Say whether every party of each arrival's message consents at its instant."""
    tag = parties.tags[purpose]
    changed = consents.changed(parties.member, purpose)
    # Parties who never changed their consent: their tags hold for all arrivals.
    consent = np.logical_and.reduceat(tag | changed, run_starts(parties.message))[message]
    party = np.flatnonzero(changed)
    if len(party):
        consent &= ~_refused(parties, party, purpose, consents, message, at)
    return consent


def _refused(
    parties: Parties,
    party: IntArray,
    purpose: int,
    consents: Consents,
    message: IntArray,
    at: IntArray,
) -> BoolArray:
    """Say whether one of the parties (rows) who changed their consent refuses it at each arrival.

    The number of parties of a message that refuse is a step function of time.
    """
    history = consents.history(parties.member[party], purpose, int(at.min()), int(at.max()))
    whose, tag = parties.message[party], parties.tags[purpose][party].astype(np.int64)
    before = history.before[history.of]
    refusing = np.where(before == NO_DECISION, tag, before) == 0
    counts = np.bincount(whose[refusing], minlength=len(parties.channel))
    refused = counts[message] > 0
    if not len(history.at):
        return refused
    one, change = expand_ranges(history.first[history.of], history.changes[history.of])
    previous = np.where(history.previous[change] == NO_DECISION, tag[one], history.previous[change])
    steps = StepFunction(whose[one], history.at[change], previous - history.decision[change])
    stepped, more = steps.value_at(message, at)
    refused[stepped] = (counts[message[stepped]] + more) > 0
    return refused


class StepFunction:
    """Step functions: for each of several groups a number that changes at instants."""

    def __init__(self, group: IntArray, at: IntArray, change: IntArray) -> None:
        order = np.lexsort((at, group))
        group, at, change = group[order], at[order], change[order]
        first = np.flatnonzero(differs(group) | differs(at))
        self._group = group[first]
        self._at = AsOf(self._group, at[first])
        total = np.cumsum(np.add.reduceat(change, first))
        begin = run_starts(self._group)
        before = np.append(0, total)[begin]
        self._total = total - np.repeat(before, np.diff(begin, append=len(total)))

    def value_at(self, group: IntArray, at: IntArray) -> tuple[IntArray, IntArray]:
        """Return the places of the groups that had a change by their instant, and the values."""
        asked = np.flatnonzero(np.isin(group, self._group))
        row = self._at.rows(group[asked], at[asked])
        return asked[row >= 0], self._total[row[row >= 0]]


def parties_of(
    connection: duckdb.DuckDBPyConnection, messages: IntArray, batch: KeyedBatch | None = None
) -> Parties:
    """Return messages with their parties: from the batch where it has them, else from the store.

    messages: keys, in order.
    """
    frames = [] if batch is None else [(batch["message"], batch["message_party"])]
    known = int_array(batch["message"]["id"]) if batch is not None else messages[:0]
    stored = messages[~lookup_sorted(np.sort(known), messages)[1]]
    if len(stored) or not frames:
        found = execute_on(
            connection,
            stored,
            sql("judge/message_tags"),
            party=("core.message_party", "message"),
            message=("core.message", "id"),
        ).pl()
        frames.append((found, found))
    channel = np.zeros(len(messages), dtype=np.int64)
    columns: list[tuple[IntArray | BoolArray, ...]] = []
    for message, party in frames:
        at, wanted = lookup_sorted(messages, int_array(message["id"]))
        channel[at[wanted]] = int_array(message["channel"])[wanted]
        at, wanted = lookup_sorted(messages, int_array(party["message"]))
        columns.append(
            (
                at[wanted],
                *(int_array(party[name])[wanted] for name in ("member", "tier", "region")),
                *(
                    party[name].to_numpy()[wanted]
                    for name in ("ai_training_consent", "third_party_consent")
                ),
            )
        )
    whose, member, tier, region, *tags = (
        np.concatenate(parts) for parts in zip(*columns, strict=True)
    )
    # The parties are in order already, or nearly.
    order = np.argsort(whose, kind="stable")
    return Parties(
        channel,
        whose[order],
        member[order],
        tier[order],
        region[order],
        tuple(tag[order] for tag in tags),
    )

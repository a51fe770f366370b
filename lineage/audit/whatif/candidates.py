"""Candidates: the arrivals that can break a rule at all, told by what they have in common.

Most datasets break no rule whoever the message is of. So each dataset, operation, policy and
declaration that arrivals were under is judged with every combination of the other facts, once, and
the arrivals of those that break nothing are never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import AsOf, BoolArray, IntArray, expand_ranges, instants
from lineage.codec.contract.events import CHANNELS, PURPOSES
from lineage.codec.contract.instants import MICROS_MAX
from lineage.database.statements import sql
from lineage.judge.facts import Facts
from lineage.judge.rules import Judge
from lineage.judge.timeline import Timeline
from lineage.limits import Limits
from lineage.reach.arrivals import Arrivals

_OPERATION_BITS: Final = 8
_INMAIL: Final = CHANNELS.index("INMAIL")
# By row: the channel, and whether the message is confidential, which InMail alone can be.
_MESSAGES: Final = np.array(
    [(channel, False) for channel in range(len(CHANNELS))] + [(_INMAIL, True)]
)
# By row: exempt_region, consents, disclosed, identifiable.
_TRUTHS: Final = np.array(list(product((False, True), repeat=3 + len(PURPOSES))))


@dataclass(frozen=True)
class Candidates:
    """The datasets, operations and times (microseconds, the end excluded) that can break a rule.

    The spans are in order, and no two have an arrival in common.
    """

    dataset: IntArray
    operation: IntArray
    from_at: IntArray
    until_at: IntArray

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, judge: Judge, limits: Limits) -> Candidates:
        """Find the candidates among all stored arrivals."""
        groups = connection.execute(sql("audit/whatif/arrival_group")).fetchnumpy()
        return cls(**_spans(groups, judge, limits))

    def frame(self) -> pl.DataFrame:
        """Return the spans in the types of core.arrival."""
        return pl.DataFrame(
            {
                "dataset": pl.Series(self.dataset, dtype=pl.Int32),
                "operation": pl.Series(self.operation, dtype=pl.UInt8),
                "from_at": instants(self.from_at),
                "until_at": instants(self.until_at),
            }
        )

    def include(self, arrivals: Arrivals) -> BoolArray:
        """Say which arrivals can break a rule."""
        own, asked = (of.dataset << _OPERATION_BITS | of.operation for of in (self, arrivals))
        row = AsOf(own, self.from_at).rows(asked, arrivals.arrived_at)
        return (row >= 0) & (arrivals.arrived_at < np.append(self.until_at, 0)[row])


def _spans(groups: dict[str, IntArray], judge: Judge, limits: Limits) -> dict[str, IntArray]:
    """Return dataset, operation, from_at and until_at of what can break a rule."""
    timeline = judge.timeline
    first, last = timeline.policies(groups["first_at"]), timeline.policies(groups["last_at"])
    group, policy = expand_ranges(first, last - first + 1)
    dataset = groups["dataset"][group]
    # The declarations of a dataset are neighbours, and it always has one, or never (-1).
    declared_first = timeline.declarations(groups["dataset"], groups["first_at"])[group]
    declared_last = timeline.declarations(groups["dataset"], groups["last_at"])[group]
    span, declaration = expand_ranges(declared_first, declared_last - declared_first + 1)
    combinations = len(span) * len(_MESSAGES) * len(_TRUTHS)
    can = np.ones(len(group), dtype=np.bool_)
    if combinations * limits.combination_arrivals < int(groups["arrivals"].sum()):
        broken = _can_break(
            judge, dataset[span], groups["operation"][group[span]], policy[span], declaration
        )
        can = np.bincount(span[broken], minlength=len(group)) > 0
    return _merged(timeline, dataset, groups["operation"][group], policy, can)


def _can_break(
    judge: Judge, dataset: IntArray, operation: IntArray, policy: IntArray, declaration: IntArray
) -> BoolArray:
    """Say which rows break a rule with one of all combinations of the other facts."""
    row, message, truth = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(len(dataset)), np.arange(len(_MESSAGES)), np.arange(len(_TRUTHS)),
            indexing="ij",
        )
    )  # fmt: skip
    nothing = np.zeros(len(row), dtype=np.int64)
    exempt_region, *consents, disclosed, identifiable = _TRUTHS[truth].T
    facts = Facts(
        arrivals=Arrivals(
            message=nothing,
            hop=nothing,
            dataset=dataset[row],
            record=nothing,
            operation=operation[row],
            arrived_at=nothing,
            identifiable=identifiable,
        ),
        policy=policy[row],
        declaration=declaration[row],
        channel=_MESSAGES[message, 0],
        confidential=_MESSAGES[message, 1].astype(np.bool_),
        exempt_region=exempt_region,
        consents=tuple(consents),
        disclosed=disclosed,
    )
    return np.bincount(row[judge.may_break(facts)], minlength=len(dataset)) > 0


def _merged(
    timeline: Timeline, dataset: IntArray, operation: IntArray, policy: IntArray, can: BoolArray
) -> dict[str, IntArray]:
    """Return the spans of the policies in which something can break, neighbours made one.

    The rows are by dataset and operation, and then in the order of the policies.
    """
    begin, end = timeline.policy_bounds()
    dataset, operation, policy = dataset[can], operation[can], policy[can]
    follows = np.zeros(len(policy), dtype=np.bool_)
    follows[1:] = (
        (dataset[1:] == dataset[:-1])
        & (operation[1:] == operation[:-1])
        & (policy[1:] == policy[:-1] + 1)
    )
    first = np.flatnonzero(~follows)
    last = np.append(first[1:], len(policy)) - 1 if len(first) else first
    return {
        "dataset": dataset[first],
        "operation": operation[first],
        "from_at": np.maximum(begin[policy[first]], 0),
        "until_at": np.minimum(end[policy[last]], MICROS_MAX + 1),
    }

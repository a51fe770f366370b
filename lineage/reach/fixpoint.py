"""The fixpoint: derives the arrivals of messages by all hops that carry them, batch by batch.

**The rule.** In Datalog, with a hop's declassification left out:

    arrived(m, target, output, moved_at) :-
        arrived(m, source, input, at),
        hop(h, source, target, moved_at), reads(h, input), writes(h, output),
        at <= moved_at.

An arrival also says whether it is identifiable: the lattice of one bit, where yes wins. So the
answer is the least fixpoint over tuples (message, slot) with that bit; a slot is a record that one
hop writes (`reach.hops`).

**Semi-naive evaluation** (Bancilhon and Ramakrishnan, 1986). Each round joins with the hops only
the tuples of the round before, never all that are known. A tuple's life in `Fixpoint.run`:

    frontier    the tuples that the last round found; joined with the hops, it gives
    candidates  the tuples that follow; without those known already, these are
    delta       the tuples that are new, or identifiable only now: the next frontier
    known       the union of all deltas

The rounds end: there are finitely many tuples, each is new once, and its bit turns once, from no to
yes. A cycle of hops brings tuples that are known, so its delta is empty.

**Incremental.** Arrivals derived by earlier batches are stored, and not derived again. Two joins
make that complete:

- new hops with old holdings: `_stored_holdings` gives the messages that the input records of the
  batch's hops held before the batch;
- new holdings with old hops: `_load_stored_hops` adds, round by round, the stored hops that read a
  record of the frontier.

A candidate of a stored hop may be stored itself (`_as_stored`); it is no delta, unless its bit
turns (`upgraded`).

**Not monotone** are the events that retract tuples: one that loses a conflict, or a late policy
that makes an old hop declassify. Such events are handled by delete and rederive (DRed; Gupta,
Mumick and Subrahmanian, 1993): `judge.invalidate` deletes all arrivals of the messages concerned,
and `derive` derives these messages again from their origins. No message's route depends on
another's, so whole messages are the unit, and there is nothing to overestimate.

The batch is in arrays; of history only the rows that touch the batch are read. tests/lineage/reach
has a second version of the rule in whole tables, without any of these ideas, as an oracle for this
one.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    NO_INTS,
    Columns,
    IntArray,
    distinct,
    instants,
    int_array,
    lookup_sorted,
)
from lineage.database.relations import execute_on, execute_with
from lineage.database.statements import sql
from lineage.keys.keyed_batch import KeyedBatch
from lineage.limits import Limits
from lineage.reach.arrivals import (
    Arrivals,
    origins,
    store_upgrades,
)
from lineage.reach.hops import (
    ArrivalSet,
    Holdings,
    HopJoin,
    Hops,
    dataset_of,
    record_keys,
    record_of,
    unpack,
    unpack_by_slot,
)
from lineage.reach.recorder import Recorder
from lineage.reach.stored_hops import reads, recent_reads
from lineage.reach.unmatched import (
    Inputs,
    delete_matched,
    restore_unmatched,
    store_unmatched,
)

_EVERYTHING = np.iinfo(np.int64).max
# Hops of the last minute are few enough to be looked up by their instants (microseconds).
_RECENT = 60_000_000
_NO_ORIGINS = origins(pl.DataFrame(schema=dict.fromkeys(("id", "dataset", "sent_at"), pl.Int64)))


class Derived:
    """The arrivals derived from a batch.

    Attributes:
        new: The arrivals that follow from the batch's events, origins first.
        upgraded: Stored arrivals that are identifiable after all.
        stored: The number of arrivals stored so far.
    """

    def __init__(self, new: Arrivals, upgraded: Arrivals, rederivation: Iterator[Arrivals]) -> None:
        self.new = new
        self.upgraded = upgraded
        self.stored = len(new)
        self._rederivation = rederivation

    def rederived(self) -> Iterator[Arrivals]:
        """Yield the arrivals of messages that are derived anew, some messages at a time.

        Each part is derived, and stored, when it is asked for.
        """
        for arrivals in self._rederivation:
            self.stored += len(arrivals)
            yield arrivals


def derive(
    connection: duckdb.DuckDBPyConnection,
    batch: KeyedBatch,
    stale: IntArray,
    vacated: pl.DataFrame,
    latest_hop: int,
    recorder: Recorder,
    limits: Limits,
) -> Derived:
    """Derive and store the arrivals that follow from a batch, whose events are recorded already.

    stale: the messages whose arrivals were deleted, to be derived anew. vacated: the records
    (dataset, record) that they may not be in any more. latest_hop: no hop that was
    stored before the batch moved later (microseconds).
    """
    hops = Hops.of_batch(batch)
    fixpoint = Fixpoint(connection, hops, batch.first_new, latest_hop)
    fixpoint.run(origins(batch["message"]), _stored_holdings(connection, hops, batch.first_new))
    new, upgraded = fixpoint.arrived(), fixpoint.upgraded()
    recorder.insert(new)
    store_upgrades(connection, upgraded)
    unmatched = fixpoint.unmatched()
    store_unmatched(connection, unmatched)
    delete_matched(connection, fixpoint.matched())
    # Messages of which the batch has another version have been followed with it.
    left = stale[~np.isin(stale, int_array(batch["message"]["id"]))]
    # These match inputs again that were vacated, and inputs of the batch that only they match.
    matching = len(vacated) > 0 or len(unmatched) > 0
    return Derived(new, upgraded, _rederive(connection, left, vacated, matching, recorder, limits))


def _rederive(
    connection: duckdb.DuckDBPyConnection,
    messages: IntArray,
    vacated: pl.DataFrame,
    matching: bool,
    recorder: Recorder,
    limits: Limits,
) -> Iterator[Arrivals]:
    """Derive the arrivals of messages anew, so many messages at a time; store and yield them.

    matching: some inputs that these arrivals match may stand as unmatched.

    The evaluation begins with the origins alone, so each hop that carries a message is stored.
    """
    together = limits.rederived_messages
    for first in range(0, len(messages), together):
        query = "SELECT id, dataset, sent_at FROM {rows}"
        some = messages[first : first + together]
        found = execute_on(connection, some, query, rows=("core.message", "id")).pl()
        fixpoint = Fixpoint(connection, Hops.none(), _EVERYTHING, _EVERYTHING)
        fixpoint.run(origins(found), None)
        arrived = fixpoint.arrived()
        recorder.insert(arrived)
        if matching:
            delete_matched(connection, fixpoint.matched())
        yield arrived
    restore_unmatched(connection, vacated, limits)


def _stored_holdings(
    connection: duckdb.DuckDBPyConnection, hops: Hops, first_new: int
) -> Holdings | None:
    """Return the messages that the records read by the hops held before the batch.

    Of the datasets that they are read from alone: a record that keeps its id is in many others.
    """
    old = hops.input_record < first_new
    records = distinct(hops.input_record[old])
    if not len(records):
        return None
    datasets = distinct(dataset_of(hops.input_key[old]))
    query = sql("reach/holdings").replace("{datasets}", ", ".join(map(str, datasets.tolist())))
    found = execute_on(connection, records, query, rows=("core.arrival", "record")).fetchnumpy()
    return Holdings(
        found["message"],
        record_keys(found["record"], found["dataset"]),
        found["since"],
        found["identifiable"],
    )


def followed(
    connection: duckdb.DuckDBPyConnection, messages: pl.DataFrame, flipped: IntArray = NO_INTS
) -> Arrivals:
    """Return the arrivals of messages (id, dataset, sent_at) by the stored events alone.

    flipped: hops that are taken to declassify where they are stored as not doing so, and the other
    way round.
    """
    fixpoint = Fixpoint(
        connection, Hops.none(), _EVERYTHING, _EVERYTHING, reads_arrivals=False, flipped=flipped
    )
    fixpoint.run(origins(messages), None)
    return fixpoint.arrived()


class Fixpoint:
    """One evaluation of the rule, to the end."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        hops: Hops,
        first_new: int,
        latest_hop: int,
        *,
        reads_arrivals: bool = True,
        flipped: IntArray = NO_INTS,
    ) -> None:
        """Begin with some hops.

        first_new: records and hops with keys below may be stored. latest_hop: no stored hop moved
        later (microseconds). reads_arrivals: False where stored arrivals are not to be believed.
        flipped: stored hops that are to declassify the other way.
        """
        self._reads_arrivals = reads_arrivals
        self._flipped = flipped
        self._connection = connection
        self._rule = HopJoin(hops)
        self._own_hops = np.sort(hops.id)
        self._own_inputs = len(hops.input_key)
        self._first_new = first_new
        self._latest_hop = latest_hop
        self._since = 0
        self._joined_records = NO_INTS  # records whose stored hops are among the hops
        self._known = ArrivalSet(NO_INTS)
        self._stored = ArrivalSet(NO_INTS)  # the known tuples that are stored, as they are stored
        self._origins = _NO_ORIGINS

    def run(self, born: Arrivals, held_before: Holdings | None) -> None:
        """Follow messages from their origins, and those held before through the new hops."""
        self._origins = born
        frontier = born.holdings()
        if held_before is not None:
            delta = self._add(self._rule.join(held_before))
            frontier = Holdings.concat(frontier, self._rule.holdings(delta))
        if len(frontier):
            # No hop that follows moved before the first holding of the frontier.
            self._since = int(frontier.since.min())
        while len(frontier):
            self._load_stored_hops(frontier)
            candidates = self._rule.join(frontier)
            delta = self._add(candidates)
            frontier = self._rule.holdings(delta)

    def arrived(self) -> Arrivals:
        """Return the new arrivals: the origins, then the rest."""
        return Arrivals.concat(self._origins, self._arrivals(self._known.without(self._stored)))

    def upgraded(self) -> Arrivals:
        """Return the arrivals that were stored as not identifiable, and are identifiable."""
        known = self._known.packed
        _, better = self._stored.difference(known) if len(self._stored.packed) else (known, NO_INTS)
        return self._arrivals(better)

    def unmatched(self) -> Inputs:
        """Return the inputs of the hops it began with that held nothing at the hop's instant."""
        return self._inputs(np.flatnonzero(~self._rule.matched[: self._own_inputs]))

    def matched(self) -> Inputs:
        """Return the inputs of stored hops that hold something at the hop's instant by now."""
        matched = np.flatnonzero(self._rule.matched[self._own_inputs :])
        return self._inputs(self._own_inputs + matched)

    def _inputs(self, rows: IntArray) -> Inputs:
        hops = self._rule.hops
        return Inputs(hops.id[hops.input_hop[rows]], hops.input_record[rows])

    def _arrivals(self, packed: IntArray) -> Arrivals:
        hops = self._rule.hops
        message, slot, identifiable = unpack_by_slot(packed)
        hop = hops.slot_hop(slot)
        return Arrivals(
            message=message,
            hop=hops.id[hop],
            dataset=hops.target[hop],
            record=hops.slot_record(slot),
            operation=hops.operation[hop],
            arrived_at=hops.moved_at[hop],
            identifiable=identifiable,
        )

    def _add(self, candidates: IntArray) -> IntArray:
        """Add candidates to the known tuples; return the delta, in order."""
        new, better = self._known.difference(candidates)
        stored = ArrivalSet(self._as_stored(new))
        if not len(stored.packed):
            self._known = self._known.union(new, better)
            return np.concatenate([new, better]) if len(better) else new
        # Stored tuples were known all along; the delta is the candidates beyond them.
        self._stored = self._stored.union(stored.packed, NO_INTS)
        new, turned = stored.difference(new)
        known = stored.union(new, turned).packed
        self._known = self._known.union(known, better)
        return np.sort(np.concatenate([new, better, turned]))

    def _as_stored(self, packed: IntArray) -> IntArray:
        """Return the tuples that are stored already, in order, as they are stored."""
        hops = self._rule.hops
        asked = packed[hops.id[hops.slot_hop(unpack(packed)[1])] < self._first_new]
        if not len(asked) or not self._reads_arrivals:
            return asked[:0]
        message, slot, _ = unpack(asked)
        hop = hops.slot_hop(slot)
        frame = pl.DataFrame(
            {
                "place": np.arange(len(asked)),
                "message": message,
                "hop": hops.id[hop],
                "record": hops.slot_record(slot),
                "arrived_at": instants(hops.moved_at[hop]),
            }
        )
        query = sql("reach/stored_arrivals")
        stored = execute_with(self._connection, query, asked_arrival=frame).fetchnumpy()
        return np.sort((asked[stored["place"]] >> 1 << 1) | ~stored["identifiable"])

    def _load_stored_hops(self, frontier: Holdings) -> None:
        """Add the stored hops that may carry the frontier on, once for each record."""
        records = record_of(frontier.record[frontier.since <= self._latest_hop])
        records = distinct(records[records < self._first_new])
        records = records[~lookup_sorted(self._joined_records, records)[1]]
        if not len(records):
            return
        self._joined_records = np.sort(np.concatenate([self._joined_records, records]))
        recent = self._latest_hop - self._since <= _RECENT
        read = (recent_reads if recent else reads)(self._connection, records, self._since)
        if len(self._flipped):
            read["declassifies"] = read["declassifies"] ^ np.isin(read["hop"], self._flipped)
        # The batch's own hops are there already, with all their inputs.
        old = ~lookup_sorted(self._own_hops, read["hop"])[1]
        if old.any():
            read = {name: values[old] for name, values in read.items()}
            hops = _with_stored(self._connection, self._rule.hops, read)
            self._rule = HopJoin(hops, self._rule.matched)


def _with_stored(connection: duckdb.DuckDBPyConnection, hops: Hops, read: Columns) -> Hops:
    """Return `hops` with the inputs `read` of stored hops, and with these hops if they are new."""
    order = np.argsort(hops.id)
    at, known = lookup_sorted(hops.id[order], read["hop"])
    ids, row = np.unique(read["hop"][~known], return_index=True)
    new = {name: values[~known][row] for name, values in read.items()}
    hop = len(hops.id) + np.searchsorted(ids, read["hop"])
    hop[known] = order[at[known]]
    writing = ids[~new["keeps_id"].astype(np.bool_)]
    written: Columns = {"hop": NO_INTS, "record": NO_INTS}
    if len(writing):
        rows = ("core.hop_output", "hop")
        written = execute_on(connection, writing, sql("reach/hop_outputs"), rows=rows).fetchnumpy()
    output_hop = np.searchsorted(ids, written["hop"])
    outputs = np.bincount(output_hop, minlength=len(ids))
    added = Hops(
        id=ids,
        target=new["target"],
        operation=new["operation"],
        moved_at=new["moved_at"],
        declassifies=new["declassifies"],
        keeps_id=new["keeps_id"],
        first_output=len(hops.output_record) + np.cumsum(outputs) - outputs,
        outputs=outputs,
        input_hop=hop,
        input_record=read["record"],
        input_key=record_keys(read["record"], read["source"]),
        output_hop=len(hops.id) + output_hop,
        output_record=written["record"],
    )
    return hops.union(added)

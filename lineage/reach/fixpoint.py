"""The fixpoint: where messages arrive, by all hops that carry them, one batch at a time.

In Datalog, with a hop's declassification left out:

    arrived(m, target, output, moved_at) :-
        arrived(m, source, input, at),
        hop(h, source, target, moved_at), reads(h, input), writes(h, output),
        at <= moved_at.

Semi-naive evaluation (Bancilhon and Ramakrishnan, 1986): each round joins with the hops only what
the round before found (the frontier), never all that is known. A tuple's life has three stages:
`carried` (what the hops make of the frontier), `news` (what of it was not known: the next
frontier), known. The rounds end because arrivals are finite, and the one value that an arrival can
change, whether it is identifiable, only ever turns from no to yes.

Incremental: the batch's hops meet what the store has in their input records (`_held_before`), and
its messages, with all that comes of them, meet stored hops that may carry them on
(`load_stored_hops`). What is stored already is no news, unless it is identifiable now (`upgraded`).
What is not monotone, a conflict or a late policy, is not done here: `judge.invalidate` deletes, and
`rederive` derives again (delete and rederive).

The batch is in arrays; history is asked only for what touches it. The same in whole
tables, without any of these ideas, is tests/lineage/reach/plain_reach.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import (
    NO_INTS,
    BoolArray,
    Columns,
    IntArray,
    distinct,
    instants,
    int_array,
    lookup_sorted,
)
from lineage.database.codes import SEND
from lineage.database.relations import run_on, run_with
from lineage.database.statements import sql
from lineage.keys.stage import KeyedBatch
from lineage.reach.hops import (
    Carrier,
    Holdings,
    Hops,
    Known,
    by_slot,
    record_keys,
    record_of,
    unpacked,
)

_EVERYTHING = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Arrivals:
    """Columns of core.arrival; instants in microseconds, operations by their index."""

    m: IntArray
    h: IntArray
    ds: IntArray
    rec: IntArray
    operation: IntArray
    arrived_at: IntArray
    identifiable: BoolArray

    def __len__(self) -> int:
        return len(self.m)

    def only(self, rows: BoolArray | IntArray | slice) -> Arrivals:
        """Some of them."""
        return Arrivals(**{name: values[rows] for name, values in self.columns().items()})

    def slice(self, first: int, count: int) -> Arrivals:
        """So many of them (or as many as there are) from a place on."""
        return self.only(slice(first, first + count))

    def columns(self) -> Columns:
        """The columns by name, in the order of the table's."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def frame(self) -> pl.DataFrame:
        """The columns in the types of the table's."""
        return pl.DataFrame({**self.columns(), "arrived_at": instants(self.arrived_at)})

    @classmethod
    def together(cls, *parts: Arrivals) -> Arrivals:
        """All of them."""
        columns = [part.columns() for part in parts]
        return cls(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})


def derive(
    connection: duckdb.DuckDBPyConnection, fresh: KeyedBatch, latest_hop: int
) -> tuple[Arrivals, Arrivals]:
    """What a batch makes arrive, and which stored arrivals are identifiable after all.

    `fresh`: the batch's events, recorded already. `latest_hop`: no hop that was stored before
    the batch moved later (microseconds).
    """
    hops = Hops.of(fresh)
    tracing = Fixpoint(connection, hops, fresh.first_new, latest_hop)
    tracing.run(_origins(fresh.message), _held_before(connection, hops, fresh.first_new))
    return tracing.arrived(), tracing.upgraded()


def rederive(connection: duckdb.DuckDBPyConnection, messages: pl.Series) -> Arrivals:
    """Where messages arrive whose arrivals have been deleted, by all hops that are stored."""
    query = "SELECT n, ds, sent_at FROM {rows}"
    origins = run_on(connection, int_array(messages), query, rows=("core.message", "n")).pl()
    tracing = Fixpoint(connection, Hops.none(), _EVERYTHING, _EVERYTHING)
    tracing.run(_origins(origins), None)
    return tracing.arrived()


def stored_arrivals(connection: duckdb.DuckDBPyConnection, relation: str) -> Arrivals:
    """The rows of a relation (in SQL) with the columns of core.arrival."""
    found = connection.execute(sql("reach/arrival_numbers").format(arrival=relation)).fetchnumpy()
    return Arrivals(**found)


def _origins(messages: pl.DataFrame) -> Arrivals:
    m = int_array(messages["n"])
    zeros = np.zeros(len(m), dtype=np.int64)
    return Arrivals(
        m=m,
        h=zeros,
        ds=int_array(messages["ds"]),
        rec=m,
        operation=zeros + SEND,
        arrived_at=int_array(messages["sent_at"]),
        identifiable=np.ones(len(m), dtype=np.bool_),
    )


def _held_before(
    connection: duckdb.DuckDBPyConnection, hops: Hops, first_new: int
) -> Holdings | None:
    """Find the messages that the records read by the hops held before the batch."""
    records = distinct(hops.input_record[hops.input_record < first_new])
    if not len(records):
        return None
    query = sql("reach/reach_held")
    found = run_on(connection, records, query, rows=("core.arrival", "rec")).fetchnumpy()
    return Holdings(
        found["m"],
        record_keys(found["rec"], found["ds"]),
        found["arrived_at"],
        found["identifiable"],
    )


class Fixpoint:
    """One run to the fixpoint."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, hops: Hops, first_new: int, latest_hop: int
    ) -> None:
        """Records and hops numbered below `first_new` may be stored; none moved after
        `latest_hop`.
        """
        self._connection = connection
        self._carrier = Carrier(hops)
        self._own = np.sort(hops.number)
        self._first_new = first_new
        self._latest_hop = latest_hop
        self._since = 0
        self._met = NO_INTS  # records whose stored hops are among the hops
        self._known = Known(NO_INTS)
        self._stored = NO_INTS  # the known that are stored, as they are stored
        self._origins = _origins(pl.DataFrame(schema=dict.fromkeys(("n", "ds", "sent_at"), int)))

    def run(self, origins: Arrivals, before: Holdings | None) -> None:
        """Follow messages from their origins, and those held before through the new hops."""
        self._origins = origins
        seeds = Holdings(
            origins.m,
            record_keys(origins.rec, origins.ds),
            origins.arrived_at,
            origins.identifiable,
        )
        frontier = seeds
        if before is not None:
            news = self._news(self._carrier.carried(before))
            frontier = Holdings.together([seeds, self._carrier.held(news)])
        if not len(frontier.m):
            return
        self._since = int(frontier.at.min())
        while len(frontier.m):
            self.load_stored_hops(frontier)
            frontier = self._carrier.held(self._news(self._carrier.carried(frontier)))

    def arrived(self) -> Arrivals:
        """What is new: the origins, then the rest."""
        new = self._known.pack
        if len(self._stored):
            new = new[~lookup_sorted(self._stored >> 1, new >> 1)[1]]
        return Arrivals.together(self._origins, self._arrivals(new))

    def upgraded(self) -> Arrivals:
        """What was stored as not identifiable, and is."""
        if not len(self._stored):
            return self._arrivals(NO_INTS)
        _, better = Known(self._stored).news(self._known.pack)
        return self._arrivals(better)

    def _arrivals(self, pack: IntArray) -> Arrivals:
        hops = self._carrier.hops
        m, slots, identifiable = by_slot(pack)
        hop = hops.slot_hop(slots)
        return Arrivals(
            m=m,
            h=hops.number[hop],
            ds=hops.target[hop],
            rec=hops.slot_record(slots),
            operation=hops.operation[hop],
            arrived_at=hops.moved_at[hop],
            identifiable=identifiable,
        )

    def _news(self, carried: IntArray) -> IntArray:
        """What of it tells something new: an arrival, or that it is identifiable."""
        new, better = self._known.news(carried)
        stored = self._as_stored(new)
        if len(stored):
            self._stored = np.sort(np.concatenate([self._stored, stored]))
            new, turned = Known(stored).news(new)
            settled = Known(stored).plus(NO_INTS, turned).pack
            self._known = self._known.plus(np.sort(np.concatenate([new, settled])), better)
            return np.sort(np.concatenate([new, better, turned]))
        self._known = self._known.plus(new, better)
        return np.concatenate([new, better]) if len(better) else new

    def _as_stored(self, pack: IntArray) -> IntArray:
        """Those of `pack` that are stored already, in the same form, as they are stored."""
        hops = self._carrier.hops
        hop = hops.slot_hop(unpacked(pack)[1])
        asked = pack[hops.number[hop] < self._first_new]
        if not len(asked):
            return asked
        m, slots, _ = unpacked(asked)
        hop = hops.slot_hop(slots)
        frame = pl.DataFrame(
            {
                "place": np.arange(len(asked)),
                "m": m,
                "h": hops.number[hop],
                "rec": hops.slot_record(slots),
                "arrived_at": instants(hops.moved_at[hop]),
            }
        )
        stored = run_with(self._connection, frame, sql("reach/reach_stored")).fetchnumpy()
        same = asked[stored["place"]] >> 1
        return np.sort((same << 1) | ~stored["identifiable"])

    def load_stored_hops(self, frontier: Holdings) -> None:
        """Add the stored hops that may carry on what has just arrived."""
        records = record_of(frontier.key[frontier.at <= self._latest_hop])
        records = distinct(records[records < self._first_new])
        records = records[~lookup_sorted(self._met, records)[1]]
        if not len(records):
            return
        self._met = np.sort(np.concatenate([self._met, records]))
        since = {"since": self._since}
        rows = ("core.hop_input", "rec")
        query = sql("reach/reach_hop_input")
        read = run_on(self._connection, records, query, since, rows=rows).fetchnumpy()
        # The batch's own hops are there, with all that they read.
        old = ~lookup_sorted(self._own, read["h"])[1]
        if old.any():
            read = {name: values[old] for name, values in read.items()}
            self._carrier = Carrier(_with_old(self._connection, self._carrier.hops, read))


def _with_old(connection: duckdb.DuckDBPyConnection, hops: Hops, read: Columns) -> Hops:
    """`hops` and what stored hops read, with those hops as far as they are not among `hops`."""
    order = np.argsort(hops.number)
    at, known = lookup_sorted(hops.number[order], read["h"])
    number, row = np.unique(read["h"][~known], return_index=True)
    new = {name: values[~known][row] for name, values in read.items()}
    hop = len(hops.number) + np.searchsorted(number, read["h"])
    hop[known] = order[at[known]]
    writing = number[~new["keeps_id"].astype(np.bool_)]
    written: Columns = {"h": NO_INTS, "rec": NO_INTS}
    if len(writing):
        rows = ("core.hop_output", "h")
        written = run_on(connection, writing, sql("reach/reach_hop_output"), rows=rows).fetchnumpy()
    output_hop = np.searchsorted(number, written["h"])
    outputs = np.bincount(output_hop, minlength=len(number))
    added = Hops(
        number=number,
        target=new["target"],
        operation=new["operation"],
        moved_at=new["moved_at"],
        declassifies=new["declassifies"],
        keeps_id=new["keeps_id"],
        first_output=len(hops.output_record) + np.cumsum(outputs) - outputs,
        outputs=outputs,
        input_hop=hop,
        input_record=read["rec"],
        input_key=record_keys(read["rec"], read["source"]),
        output_hop=len(hops.number) + output_hop,
        output_record=written["rec"],
    )
    return replace(
        hops,
        **{
            name: np.concatenate([getattr(hops, name), getattr(added, name)])
            for name in hops.__dataclass_fields__
        },
    )

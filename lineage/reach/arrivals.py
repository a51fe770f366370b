"""Arrivals: a row for the origin of each message, and for each message, hop and target record."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import BoolArray, Columns, IntArray, instants, int_array
from lineage.database.relations import write_with
from lineage.database.schema.codes import SEND
from lineage.database.statements import sql
from lineage.reach.hops import Holdings, record_keys


@dataclass(frozen=True)
class Arrivals:
    """Columns of core.arrival; instants in microseconds, operations as codes."""

    message: IntArray
    hop: IntArray
    dataset: IntArray
    record: IntArray
    operation: IntArray
    arrived_at: IntArray
    identifiable: BoolArray

    def __len__(self) -> int:
        return len(self.message)

    def only(self, rows: BoolArray | IntArray | slice) -> Arrivals:
        """Return some of the arrivals."""
        return Arrivals(**{name: values[rows] for name, values in self.columns().items()})

    def slice(self, first: int, count: int) -> Arrivals:
        """Return so many arrivals (or as many as there are) from a place on."""
        return self.only(slice(first, first + count))

    def columns(self) -> Columns:
        """Return the columns by name, in the order of the table's."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def frame(self) -> pl.DataFrame:
        """Return the columns in the types of the table's."""
        return pl.DataFrame({**self.columns(), "arrived_at": instants(self.arrived_at)})

    def holdings(self) -> Holdings:
        """Return the messages that records hold by these arrivals."""
        record = record_keys(self.record, self.dataset)
        return Holdings(self.message, record, self.arrived_at, self.identifiable)

    @classmethod
    def concat(cls, *parts: Arrivals) -> Arrivals:
        """Concatenate arrivals."""
        columns = [part.columns() for part in parts]
        return cls(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})


def origins(messages: pl.DataFrame) -> Arrivals:
    """Return the arrivals of messages (id, dataset, sent_at) in the datasets of their birth."""
    message = int_array(messages["id"])
    zeros = np.zeros(len(message), dtype=np.int64)
    return Arrivals(
        message=message,
        hop=zeros,
        dataset=int_array(messages["dataset"]),
        record=message,
        operation=zeros + SEND,
        arrived_at=int_array(messages["sent_at"]),
        identifiable=np.ones(len(message), dtype=np.bool_),
    )


def stored_arrivals(connection: duckdb.DuckDBPyConnection, relation: str) -> Arrivals:
    """Return the rows of a relation (in SQL) with the columns of core.arrival."""
    found = connection.execute(sql("reach/arrivals").format(arrival=relation)).fetchnumpy()
    return Arrivals(**found)


def store_upgrades(connection: duckdb.DuckDBPyConnection, upgraded: Arrivals) -> None:
    """Record that stored arrivals are identifiable after all."""
    if len(upgraded):
        statement = sql("reach/upgrade_arrival")
        write_with(connection, statement, upgraded_arrival=upgraded.frame())

"""Assigns surrogate keys: every id of a batch becomes an integer, the same one in every batch."""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from lineage.arrays import IntArray
from lineage.database.schema.model import Reference, Table
from lineage.database.schema.tables import EVENT_TABLES
from lineage.ingest.encode import KEY_COLUMNS, EncodedBatch
from lineage.keys.keyed_batch import KeyedBatch
from lineage.keys.origins import OriginKeys
from lineage.keys.surrogate_keys import IdKeys, Interned, TextKeys
from lineage.limits import Limits

Keyed = dict[tuple[str, str], IntArray]  # by table and column


class Keys:
    """The keys of a store's ids, datasets and members; new ones are inserted as they come.

    After a roll-back, which takes keys back, make another object.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._ids = IdKeys(connection, limits)
        self._datasets = TextKeys(connection, "core.dataset_name", "keys/intern_datasets", limits)
        self._origins = OriginKeys(connection)
        self._members = TextKeys(connection, "core.member", "keys/intern_members", limits)

    def assign(self, batch: EncodedBatch) -> KeyedBatch:
        """Return a batch in keys, inside the caller's transaction."""
        ids = self._ids.intern(batch.ids)
        keyed = {
            **_by_column(Reference.ID, ids),
            **_by_column(Reference.DATASET, self._datasets.intern(batch.datasets)),
            **_by_column(Reference.MEMBER, self._members.intern(batch.members)),
        }
        for table in EVENT_TABLES:
            if table.owner:
                owners = keyed[table.owner, "id"]
                keyed[table.name, table.owner] = owners[batch.owners[table.name]]
        origins = self._origins.intern(batch.origins)
        for name, places in batch.read_from.items():
            keyed[name, "origin"] = origins[places]
        tables = {table.name: _with_keys(batch, table, keyed) for table in EVENT_TABLES}
        tables["hop"] = _with_keeps_id(tables["hop"], batch.owners["hop_output"])
        return KeyedBatch(tables, ids.first_new)


def _by_column(reference: Reference, interned: Interned) -> Keyed:
    columns = KEY_COLUMNS[reference]
    return {
        (of.table.name, of.name): keys for of, keys in zip(columns, interned.columns, strict=True)
    }


def _with_keys(batch: EncodedBatch, table: Table, keyed: Keyed) -> pl.DataFrame:
    names = [column.name for column in table.columns]
    keys = [
        pl.Series(name, keyed[table.name, name]) for name in names if (table.name, name) in keyed
    ]
    return batch.tables[table.name].hstack(keys)


def _with_keeps_id(hop: pl.DataFrame, owners: IntArray) -> pl.DataFrame:
    """Return hops with `keeps_id`: true for hops without outputs. owners: the places of the others.

    A hop is in `owners` once for each of its outputs.
    """
    keeps_id = np.ones(len(hop), dtype=np.bool_)
    keeps_id[owners] = False
    return hop.hstack([pl.Series("keeps_id", keeps_id)])

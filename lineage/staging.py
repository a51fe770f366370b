"""A batch's columns with every id as its number, ready for the tables of the store."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from lineage.interning import IdentifierInterner, Interner
from schemas import Batch
from schemas.events import TIERS

Rows = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Staged:
    """The columns of core.message, core.hop and so on; `row` tells the row of the batch.

    Attributes:
        first_new: Events numbered below may be in the store already; those from here on cannot.
    """

    message: pl.DataFrame
    message_party: pl.DataFrame
    hop: pl.DataFrame
    hop_input: pl.DataFrame
    hop_output: pl.DataFrame
    consent_change: pl.DataFrame
    declaration: pl.DataFrame
    policy: pl.DataFrame
    first_new: int

    def only(self, kept: dict[str, Rows]) -> Staged:
        """The rows given for each of `kept`'s tables, with all that hangs on them."""
        changes = {}
        for table, rows in kept.items():
            wanted = pl.Series(rows)
            for name in (table, *CHILDREN.get(table, ())):
                changes[name] = getattr(self, name).filter(pl.col("row").is_in(wanted.implode()))
        return replace(self, **changes)


CHILDREN = {"message": ("message_party",), "hop": ("hop_input", "hop_output")}


class Stager:
    """Numbers the ids of batches, inserting the ids that the store has not seen."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._identifiers = IdentifierInterner(connection)
        self._datasets = Interner(connection, "core.dataset_name", "intern_datasets")
        self._members = Interner(connection, "core.member", "intern_members")
        self._profiles = Interner(connection, "core.profile", "intern_profiles")

    def reload(self) -> None:
        """Forget what a rolled-back transaction numbered."""
        for interner in (self._identifiers, self._datasets, self._members, self._profiles):
            interner.reload()

    def stage(self, batch: Batch) -> Staged:
        """`batch` in numbers. Runs inside the caller's transaction."""
        ids = self._identifiers.intern(
            [
                batch.messages["message_id"],
                batch.hop_inputs["record_id"],
                batch.hop_outputs["record_id"],
                batch.hops["hop_id"],
                batch.hops["run_id"],
                batch.consent_changes["change_id"],
                batch.declarations["declaration_id"],
                batch.policies["policy_id"],
            ]
        )
        message, input_, output, hop, run, change, declaration, policy = ids.columns
        origin, source, target, declared = self._datasets.intern(
            [
                batch.messages["dataset"],
                batch.hops["source"],
                batch.hops["target"],
                batch.declarations["dataset"],
            ]
        ).columns
        member, changed = self._members.intern(
            [batch.parties["member_id"], batch.consent_changes["member_id"]]
        ).columns
        hops = _numbered(batch.hops, n=hop, run=run, source=source, target=target)
        return Staged(
            message=_numbered(
                batch.messages, n=message, ds=origin, profile=self._profiles_of(batch)
            ),
            message_party=_of_parent(batch.parties, batch.messages, message, "n").with_columns(
                member=pl.Series(member)
            ),
            hop=hops,
            hop_input=_inputs(batch, hops, input_),
            hop_output=_of_parent(batch.hop_outputs, batch.hops, hop, "h").with_columns(
                rec=pl.Series(output)
            ),
            consent_change=_numbered(batch.consent_changes, n=change, member=changed),
            declaration=_numbered(batch.declarations, n=declaration, ds=declared),
            policy=_numbered(batch.policies, n=policy),
            first_new=ids.first_new,
        )

    def _profiles_of(self, batch: Batch) -> npt.NDArray[np.int64]:
        """The profile of each message, in the order of `batch.messages`."""
        bit = pl.col("tier").replace_strict(
            list(TIERS), [1 << i for i in range(len(TIERS))], return_dtype=pl.UInt8
        )
        regions = (
            batch.parties.select("row", "region")
            .unique()
            .sort("row", "region")
            .group_by("row", maintain_order=True)
            .agg(pl.col("region").str.join(","))
        )
        facts = batch.parties.group_by("row", maintain_order=True).agg(
            bit.bitwise_or().alias("tiers"),
            pl.col("ai_training_consent").all(),
            pl.col("third_party_consent").all(),
        )
        profiles = (
            batch.messages.select("row", "channel")
            .join(facts, on="row", how="left", maintain_order="left")
            .join(regions, on="row", how="left", maintain_order="left")
            .select(
                pl.concat_str(
                    "channel",
                    "tiers",
                    "region",
                    "ai_training_consent",
                    "third_party_consent",
                    separator="|",
                )
            )
        )
        return self._profiles.intern([profiles.to_series()]).columns[0]


def _numbered(frame: pl.DataFrame, **numbers: npt.NDArray[np.int64]) -> pl.DataFrame:
    return frame.with_columns(**{name: pl.Series(values) for name, values in numbers.items()})


def _of_parent(
    frame: pl.DataFrame, parents: pl.DataFrame, numbers: npt.NDArray[np.int64], name: str
) -> pl.DataFrame:
    """`frame` with the number of the event that each of its rows belongs to, as `name`."""
    owner = pl.DataFrame({"row": parents["row"], name: numbers})
    return frame.join(owner, on="row", how="left", maintain_order="left")


def _inputs(batch: Batch, hops: pl.DataFrame, records: npt.NDArray[np.int64]) -> pl.DataFrame:
    has_outputs = batch.hop_outputs["row"].unique().implode()
    owners = hops.select(
        "row",
        "source",
        "target",
        "operation",
        "moved_at",
        h="n",
        keeps_id=~pl.col("row").is_in(has_outputs),
    )
    return batch.hop_inputs.with_columns(rec=pl.Series(records)).join(
        owners, on="row", how="left", maintain_order="left"
    )

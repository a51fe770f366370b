"""Writes a log's events as zstd Parquet, and prints how many bytes that took.

One file an event type, parties, inputs and outputs as lists: what a careful engineer would keep
if the events alone were to be kept. The files are removed.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow.parquet as pq

from lineage.codec import Batch, read_log

_NOT_CONTENT = ("row", "read_from", "partition", "position")
_PARTY = (
    *("role", "member_id", "tier", "region"),
    *("ai_training_consent", "third_party_consent"),
)
_ROW_GROUP_EVENTS = 500_000


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    log = parser.parse_args().log
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(log, folder)
        print(sum(path.stat().st_size for path in folder.iterdir()))


def _write(log: Path, folder: Path) -> None:
    writers: dict[str, pq.ParquetWriter] = {}
    with ExitStack() as open_files:
        for batch in read_log(log, batch_events=_ROW_GROUP_EVENTS):
            for name, table in _nested(batch).items():
                if not table.height:
                    continue
                content = table.drop(_NOT_CONTENT, strict=False)
                arrow = content.with_columns(cs.enum().cast(pl.String)).to_arrow()
                if name not in writers:
                    path = folder / f"{name}.parquet"
                    writer = pq.ParquetWriter(path, arrow.schema, compression="zstd")
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(arrow)


def _nested(batch: Batch) -> dict[str, pl.DataFrame]:
    party = batch.parties.with_columns(cs.enum().cast(pl.String))
    parties = party.group_by("row", maintain_order=True).agg(parties=pl.struct(_PARTY))
    inputs = batch.hop_inputs.group_by("row", maintain_order=True).agg(inputs="record_id")
    outputs = batch.hop_outputs.group_by("row", maintain_order=True).agg(outputs="record_id")
    order = {"on": "row", "how": "left", "maintain_order": "left"}
    return {
        "messages": batch.messages.join(parties, **order),  # type: ignore[arg-type]  # plain words
        "hops": batch.hops.join(inputs, **order).join(outputs, **order),  # type: ignore[arg-type]  # plain words
        "consent_changes": batch.consent_changes,
        "declarations": batch.declarations,
        "policies": batch.policies,
    }


if __name__ == "__main__":
    main()

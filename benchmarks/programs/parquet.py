"""Writes a log's events as zstd Parquet, and prints how many bytes that took.

One file an event type, parties, inputs and outputs as lists: what a careful engineer would keep
if the events alone were to be kept. The files are removed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from schemas import Batch, read_log

_NOT_CONTENT = ("row", "read_from", "partition", "position")
_PARTY = (
    *("role", "member_id", "tier", "region"),
    *("ai_training_consent", "third_party_consent"),
)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    tables: dict[str, list[pl.DataFrame]] = {}
    for batch in read_log(parser.parse_args().log):
        for name, table in _nested(batch).items():
            if table.height:
                tables.setdefault(name, []).append(table.drop(_NOT_CONTENT, strict=False))
    with tempfile.TemporaryDirectory() as folder:
        total = 0
        for name, parts in tables.items():
            path = Path(folder) / f"{name}.parquet"
            pl.concat(parts).write_parquet(path, compression="zstd")
            total += path.stat().st_size
    print(total)


def _nested(batch: Batch) -> dict[str, pl.DataFrame]:
    parties = batch.parties.group_by("row", maintain_order=True).agg(parties=pl.struct(_PARTY))
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

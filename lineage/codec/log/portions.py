"""Splits batches by weight: a hop is one event, but can move a million records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lineage.codec.batch import Batch
from lineage.codec.contract.limits import BATCH_WEIGHT_MAX
from lineage.codec.tables import IntArray


def weight_of(batch: Batch) -> int:
    """Count the parties, and the hops' inputs, outputs and arrivals (one message in each input)."""
    return batch.parties.height + int(_weights_of_hops(batch).sum())


def portions(batch: Batch) -> Iterator[Batch]:
    """Yield the batch in parts that weigh no more than BATCH_WEIGHT_MAX, or are one hop."""
    weights = _weights_of_hops(batch)
    if batch.parties.height + int(weights.sum()) <= BATCH_WEIGHT_MAX:
        yield batch
        return
    none = Batch.empty()
    rest = {name: getattr(none, name) for name in ("hops", "hop_inputs", "hop_outputs")}
    yield replace(batch, **rest)
    start = taken = 0
    for hop, weight in enumerate(weights.tolist()):
        if hop > start and taken + weight > BATCH_WEIGHT_MAX:
            yield batch.cut("hops", start, hop)
            start, taken = hop, 0
        taken += weight
    yield batch.cut("hops", start, len(weights))


def _weights_of_hops(batch: Batch) -> IntArray:
    rows = batch.hops["row"].to_numpy()
    size = int(rows[-1]) + 1 if len(rows) else 0
    inputs, outputs = (
        np.bincount(table["row"].to_numpy(), minlength=size)
        for table in (batch.hop_inputs, batch.hop_outputs)
    )
    weights: IntArray = (inputs + outputs + inputs * np.maximum(outputs, 1))[rows]
    return weights

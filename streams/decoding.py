"""From fetched records to a batch that is ready to be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineage.encoding import Prepared, prepare
from schemas import Batch, DeadLetter, Decoder
from streams.transport import Records

__all__ = ["decode_together", "prepared"]


def decode_together(decoder: Decoder, lists: Sequence[Records]) -> Batch:
    """Decode fetched lists of one topic in one go: many small ones cost as much as as many large.

    Raises what `Decoder.decode` raises.
    """
    return decoder.decode(
        lists[0].topic,
        np.repeat([one.partition for one in lists], [len(one) for one in lists]),
        np.concatenate([np.asarray(one.offsets) for one in lists]),
        [value for one in lists for value in one.values],
    )


def prepared(batches: Sequence[Batch], group: Sequence[Records]) -> Prepared:
    """Make one batch of several, ready to be applied; dead letters have the bytes of Kafka."""
    batch = Batch.concat(batches)
    ready = prepare(batch)
    # A policy's document is judged by lineage, not by its schema.
    late = ready.dead_letters[len(batch.dead_letters) :]
    if not late:
        return ready
    originals: dict[tuple[str, int], list[Records]] = {}
    for records in group:
        originals.setdefault((records.topic, records.partition), []).append(records)
    letters = [_with_original(one, originals[one.source, one.partition]) for one in late]
    return replace(ready, dead_letters=(*batch.dead_letters, *letters))


def _with_original(letter: DeadLetter, candidates: Sequence[Records]) -> DeadLetter:
    values = (records.value_at(letter.position) for records in candidates)
    value = next((value for value in values if value is not None), None)
    return DeadLetter.of(letter.source, letter.partition, letter.position, letter.reason, value)

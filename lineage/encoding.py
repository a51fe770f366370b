"""What can be made of a batch without the store: each text once, enums and owners as numbers.

It is done beside the applying of the batch before, in another thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from lineage.arrays import Numbers, Truths, numbers
from lineage.regions import REGIONS
from schemas import Batch
from schemas.events import BASES, CHANNELS, KINDS, OPERATIONS, PARTIES, PURPOSES, ROLES, TIERS

SEND = 0
# A code in the store is the place of the word.
WORDS: dict[str, tuple[str, ...]] = {
    "channel": CHANNELS,
    "role": ROLES,
    "tier": TIERS,
    "region": REGIONS,
    "operation": ("SEND", *OPERATIONS),
    "purpose": PURPOSES,
    "basis": BASES,
    "kind": KINDS,
    "party": PARTIES,
}
_ENUMS = {name: pl.Enum(words) for name, words in WORDS.items()}
_CODED = {
    "messages": ("channel",),
    "parties": ("role", "tier", "region"),
    "hops": ("operation",),
    "consent_changes": ("purpose", "basis"),
    "declarations": ("kind", "party"),
}
_UUID_TEXT_BYTES = 36
_UUID_BYTES = 16
_NIBBLES = np.full(256, 0xFF, dtype=np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", dtype=np.uint8)] = np.arange(16)
# Where the groups of hex digits are in the text of a UUID, and where among the digits alone.
_GROUPS = ((0, 0, 8), (9, 8, 4), (14, 12, 4), (19, 16, 4), (24, 20, 12))
_DASHES = (8, 13, 18, 23)

Uuids = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Encoded:
    """Columns of texts. texts: each once, in the order of first appearance.

    codes: for each column the places of its texts among them, in order; -1 for null.
    """

    texts: pa.StringArray
    codes: tuple[Numbers, ...]


@dataclass(frozen=True)
class Identifiers:
    """Columns of ids. is_uuid: which of the texts are canonical UUIDs; uuids: these, as bytes."""

    encoded: Encoded
    is_uuid: Truths
    uuids: Uuids


@dataclass(frozen=True)
class Prepared:
    """A batch, ready for the store. codes: the columns of enums by table and name, as indices.

    owners: for each row of parties, hop_inputs and hop_outputs the place of its event.
    """

    batch: Batch
    identifiers: Identifiers
    datasets: Encoded
    members: Encoded
    codes: dict[str, dict[str, pl.Series]]
    owners: dict[str, Numbers]


def prepare(batch: Batch) -> Prepared:
    """Make of a batch what can be made without the store."""
    return Prepared(
        batch=batch,
        # What later rows refer to first, since earlier columns get the lower numbers.
        identifiers=identifiers(
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
        ),
        datasets=encode(
            [
                batch.messages["dataset"],
                batch.hops["source"],
                batch.hops["target"],
                batch.declarations["dataset"],
            ]
        ),
        members=encode([batch.parties["member_id"], batch.consent_changes["member_id"]]),
        codes={
            table: {
                name: getattr(batch, table)[name].cast(_ENUMS[name]).to_physical() for name in names
            }
            for table, names in _CODED.items()
        },
        owners={
            "parties": _owners(batch.parties, batch.messages),
            "hop_inputs": _owners(batch.hop_inputs, batch.hops),
            "hop_outputs": _owners(batch.hop_outputs, batch.hops),
        },
    )


def encode(columns: Sequence[pl.Series]) -> Encoded:
    """Each text of some columns once."""
    chunks = [column.to_arrow().cast(pa.string()) for column in columns]
    encoded: Any = pa.chunked_array(chunks, type=pa.string()).combine_chunks().dictionary_encode()
    codes: Numbers = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return Encoded(encoded.dictionary, tuple(np.split(codes, ends)))


def identifiers(columns: Sequence[pl.Series]) -> Identifiers:
    """Each id of some columns once, canonical UUIDs as bytes."""
    encoded = encode(columns)
    return Identifiers(encoded, *_uuids(encoded.texts))


def _owners(frame: pl.DataFrame, events: pl.DataFrame) -> Numbers:
    row = numbers(events["row"])
    place = np.zeros(int(row.max()) + 1 if len(row) else 0, dtype=np.int64)
    place[row] = np.arange(len(row))
    return place[numbers(frame["row"])]


def _uuids(texts: pa.StringArray) -> tuple[Truths, Uuids]:
    """Which texts are canonical UUIDs (lower case, with dashes), and their 16 bytes each."""
    if not len(texts):
        return np.zeros(0, dtype=np.bool_), np.zeros((0, _UUID_BYTES), dtype=np.uint8)
    buffers: list[Any] = texts.buffers()
    _, offset_buffer, data = buffers
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[texts.offset :][: len(texts) + 1]
    characters = np.frombuffer(data, dtype=np.uint8)
    first = offsets[:-1][np.diff(offsets) == _UUID_TEXT_BYTES].astype(np.int64)
    text = characters[first[:, None] + np.arange(_UUID_TEXT_BYTES)]
    digits = np.empty((len(first), 2 * _UUID_BYTES), dtype=np.uint8)
    for at, to, count in _GROUPS:
        digits[:, to : to + count] = _NIBBLES[text[:, at : at + count]]
    canonical = (digits != _NIBBLES[0]).all(axis=1) & (text[:, _DASHES] == ord("-")).all(axis=1)
    is_uuid = np.diff(offsets) == _UUID_TEXT_BYTES
    is_uuid[is_uuid] = canonical
    digits = digits[canonical]
    return is_uuid, digits[:, 0::2] << 4 | digits[:, 1::2]

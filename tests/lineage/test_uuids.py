"""Only canonical UUIDs are kept as numbers: every other text must come back as it was."""

from __future__ import annotations

import uuid

import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from lineage.ingest.encode import encode_ids
from lineage.uuids import as_bytes, texts_of, uuids_of

PLACES = range(36)
CHARACTERS = [*"0129afgoAFGO-/:@`{ \x00\x7f", "é"]


def is_canonical(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def near_uuids() -> st.SearchStrategy[str]:
    """UUIDs, and what is one character away from one."""

    def changed(one: uuid.UUID, place: int, character: str, length: int) -> str:
        text = str(one)
        return (text[:place] + character + text[place + 1 :])[:length]

    near = st.builds(
        changed,
        st.uuids(),
        st.sampled_from(PLACES),
        st.sampled_from(CHARACTERS),
        st.sampled_from([35, 36, 36, 36]),
    )
    return st.uuids().map(str) | near | st.text(max_size=40)


@given(st.lists(near_uuids(), max_size=20))
def test_exactly_the_canonical_ones_are_found(texts: list[str]) -> None:
    is_uuid, found = uuids_of(pa.array(texts, pa.string()))
    canonical = [text for text in texts if is_canonical(text)]
    assert is_uuid.tolist() == [is_canonical(text) for text in texts]
    assert texts_of(found).to_pylist() == canonical
    assert bytes(as_bytes(found)) == b"".join(uuid.UUID(text).bytes for text in canonical)


def test_every_character_at_every_place() -> None:
    one = "01234567-89ab-7def-8123-456789abcdef"
    texts = [one[:place] + chr(code) + one[place + 1 :] for place in PLACES for code in range(128)]
    is_uuid, _ = uuids_of(pa.array(texts, pa.string()))
    assert is_uuid.tolist() == [is_canonical(text) for text in texts]


def test_a_part_of_an_array_is_read_at_its_own_place() -> None:
    texts = [str(uuid.UUID(int=number << 64 | 7)) for number in range(9)]
    _, found = uuids_of(pa.array(["x", *texts], pa.string())[4:7])
    assert texts_of(found).to_pylist() == texts[3:6]


def test_uuids_that_share_a_half_are_told_apart() -> None:
    low, high = 7, 7 << 64
    texts = [str(uuid.UUID(int=number)) for number in (low, high | low, low, 8, high | 8)]
    found = encode_ids([pl.Series(texts)])
    assert found.codes[0].tolist() == [0, 1, 0, 2, 3]
    assert texts_of(found.uuids).to_pylist() == list(dict.fromkeys(texts))

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.codec.columns.instants import micros_column
from lineage.codec.contract.instants import MICROS_MAX, NOT_AN_INSTANT, micros_of, text_of
from tests.lineage.codec.strategies import instants, odd_texts

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", SECOND),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.1234567899Z", 123_456),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T00:00:00.25-00:30", 1800 * SECOND + 250_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND),
        ("9999-12-31T23:59:59.999999Z", MICROS_MAX),
        ("9999-12-31T23:59:59.9999999Z", MICROS_MAX),
    ],
)
def test_an_instant_is_a_text_with_a_zone(text: str, micros: int) -> None:
    assert micros_of(text) == micros
    assert micros_column(pl.Series([text])).to_list() == [micros]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024-09-18",
        "2024-09-18T00:00:00",
        "2024-09-18 00:00:00Z",
        "2024-09-18T00:00Z",
        "2024-09-18T00:00:00.Z",
        "2024-09-18T00:00:00,5Z",
        "2024-09-18T00:00:00+1:00",
        "2024-09-18T00:00:00+0100",
        "2024-09-18T00:00:00+24:00",
        "2024-09-18T00:00:00 Z",
        "2024-09-18T00:00:00Z ",
        "2024-09-18T00:00:00Z\n",
        "2024-09-18T24:00:00Z",
        "2024-09-18T23:59:60Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "٢٠٢٤-09-18T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1726617600",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert micros_of(text) is None
    assert micros_column(pl.Series([text])).to_list() == [NOT_AN_INSTANT]


@given(st.lists(st.none() | instants | odd_texts, max_size=8))
def test_a_column_is_read_as_each_of_its_texts(texts: list[str | None]) -> None:
    one_by_one = [None if t is None else micros_of(t) for t in texts]
    expected = [
        NOT_AN_INSTANT if m is None and t is not None else m
        for t, m in zip(texts, one_by_one, strict=True)
    ]
    assert micros_column(pl.Series(texts, dtype=pl.String)).to_list() == expected


@given(st.integers(0, MICROS_MAX))
def test_the_canonical_spelling_is_read_as_what_was_written(micros: int) -> None:
    text = text_of(micros)
    assert micros_of(text) == micros
    assert len(text) == len("2024-09-18T00:00:00.000000Z")

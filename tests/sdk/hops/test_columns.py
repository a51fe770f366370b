"""Ids come from whatever holds them."""

from __future__ import annotations

import array
import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lineage_sdk.hops.columns import ids_of, pairs_of

ONE = UUID("0192e4a0-0000-7000-8000-000000000001")

COLUMNS: dict[str, Callable[[], Any]] = {
    "a list": lambda: ["a", "b", "a"],
    "a tuple": lambda: ("a", "b"),
    "a set": lambda: {"b", "a"},
    "a frozen set": lambda: frozenset("ab"),
    "the keys of a dict": lambda: {"a": 1, "b": 2}.keys(),
    "a generator": lambda: (one for one in "ab"),
    "numpy": lambda: np.array(["a", "b", "a"]),
    "numpy objects": lambda: np.array(["a", "b"], dtype=object),
    "texts of numpy": lambda: [np.str_("a"), np.str_("b")],
    "an Arrow array": lambda: pa.array(["a", "b"]),
    "an Arrow column in chunks": lambda: pa.chunked_array([["a"], ["b", "a"]]),
    "a dictionary of Arrow": lambda: pa.array(["a", "b", "a"]).dictionary_encode(),
    "polars": lambda: pl.Series(["a", "b", "a"]),
    "categories of polars": lambda: pl.Series(["a", "b"], dtype=pl.Categorical),
    "pandas": lambda: pd.Series(["a", "b", "a"]),
    "categories of pandas": lambda: pd.Series(["a", "b"], dtype="category"),
    "an index of pandas": lambda: pd.Index(["a", "b"]),
    "a cursor of DuckDB": lambda: duckdb.sql("SELECT * FROM (VALUES ('a', 1), ('b', 2))"),
    "a cursor of SQLite": lambda: sqlite3.connect(":memory:").execute("VALUES ('a'), ('b')"),
    "rows": lambda: [("a",), ("b",)],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_ids_of_a_column(name: str) -> None:
    found = ids_of(COLUMNS[name]())
    assert found == ["a", "b"]
    assert set(map(type, found)) <= {str, np.str_}


@pytest.mark.parametrize(
    "values",
    [
        [1, 2],
        (n for n in (1, 2)),
        np.array([1, 2], np.int64),
        [np.int32(1), np.int32(2)],
        pa.array([1, 2]),
        pl.Series([1, 2]),
        pd.Series([1, 2]),
        array.array("q", [1, 2]),
        ["1", 2],
    ],
    ids=lambda values: type(values).__name__,
)
def test_integers_become_their_text(values: Any) -> None:
    assert ids_of(values) == ["1", "2"]


def test_one_id_is_one_id() -> None:
    assert ids_of("abc") == ["abc"]
    assert ids_of(7) == ["7"]
    assert ids_of(ONE) == [str(ONE)]
    assert ids_of([ONE]) == [str(ONE)]


@pytest.mark.parametrize("values", [pd.Series([1, None]), [1.0], [None], [True], [b"x"], [["a"]]])
def test_what_is_no_id_stays_what_it_is(values: Any) -> None:
    # The contract refuses it then; "nan" would be an id that nobody ever finds.
    assert not all(isinstance(one, str) for one in ids_of(values))


@pytest.mark.parametrize("values", [None, 1.5, {"a": 1}, object()])
def test_what_holds_no_ids_is_refused(values: Any) -> None:
    with pytest.raises(TypeError):
        ids_of(values)


def test_pairs_of_rows_and_columns() -> None:
    wanted = [("a", "1"), ("b", "1"), ("a", "2")]
    rows = [("a", 1), ("b", 1), ("a", 1), ("a", 2)]
    inputs, outputs = [list(side) for side in zip(*rows, strict=True)]
    assert pairs_of(rows) == wanted
    assert pairs_of(iter(rows)) == wanted
    sql = "SELECT * FROM (VALUES ('a', 1), ('b', 1), ('a', 1), ('a', 2))"
    assert pairs_of(duckdb.sql(sql)) == wanted
    assert pairs_of(duckdb.connect().execute(sql)) == wanted
    assert pairs_of(inputs, outputs) == wanted
    assert pairs_of(pl.Series(inputs), np.array(outputs)) == wanted
    assert pairs_of(pa.array(inputs), pd.Series(outputs)) == wanted


def test_columns_of_two_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="2 inputs and 1 outputs make no pairs"):
        pairs_of(["a", "b"], ["c"])

"""A small company's database, served to DuckDB's clients from this process."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

import lineage
from tests.stores import new_store
from tests.streams.cli.runner import EVENTS
from tests.streams.quack.attached import TOKEN, attached
from tests.streams.serve.serving import serving


@pytest.fixture(scope="module")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply(EVENTS)
        yield store


@pytest.fixture(scope="module")
def url(store: lineage.Store) -> Iterator[str]:
    with serving(store, token=TOKEN, quack=True) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with attached(url) as client:
        yield client

"""A small company's database, shown from this process with and without a token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lineage
from tests.stores import new_store
from tests.streams.console.showing import EVENTS, TOKEN, showing


@pytest.fixture(scope="session")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply(EVENTS)
        yield store


@pytest.fixture(scope="session")
def url(store: lineage.Store) -> Iterator[str]:
    with showing(store) as url:
        yield url


@pytest.fixture(scope="session")
def with_token(store: lineage.Store) -> Iterator[str]:
    with showing(store, TOKEN) as url:
        yield url

"""A small company's database, served from this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lineage
from tests.stores import new_store
from tests.streams.cli.runner import EVENTS
from tests.streams.serve.serving import serving


@pytest.fixture(scope="module")
def store() -> Iterator[lineage.Store]:
    with new_store() as store:
        store.apply(EVENTS)
        yield store


@pytest.fixture(scope="module")
def url(store: lineage.Store) -> Iterator[str]:
    with serving(store) as url:
        yield url

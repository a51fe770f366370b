"""What if, over HTTP and in Python: as of a store that is open."""

from __future__ import annotations

from datetime import datetime

import pytest

import lineage
from tests.lineage.events.builders import document
from tests.streams.serve.serving import ask

DOCUMENT = document([("direct", "LOW", "channel = 'DIRECT' and dataset = 'raw'")])
PERIOD = (datetime(2024, 9, 18), "2024-09-18T00:02:00Z")


def test_python_asks_a_server_as_it_asks_a_file(store: lineage.Store, url: str) -> None:
    remote = lineage.connect(url)
    assert remote.whatif(DOCUMENT).fetchall() == store.whatif(DOCUMENT).fetchall()
    assert remote.whatif(DOCUMENT, *PERIOD).fetchall() == store.whatif(DOCUMENT, *PERIOD).fetchall()
    with remote.whatif_batches(DOCUMENT) as there, store.whatif_batches(DOCUMENT) as here:
        assert there.schema.names == here.schema.names
        assert list(there.batches()) == list(here.batches())
    with pytest.raises(lineage.PolicyError, match="the document must"):
        remote.whatif("rules: []")
    with pytest.raises(lineage.QueryError, match="from must be before to"):
        remote.whatif(DOCUMENT, "2024-09-18", "2024-09-18")


def test_a_request_has_to_name_a_document(url: str) -> None:
    told = ask(url, "/whatif", {"from": "2024-09-18"})
    assert (told.status, told.error) == (400, "policy is missing")
    assert ask(url, "/whatif", {"policy": "rules: []"}).status == 400

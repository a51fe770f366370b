"""Flows are counted once, and stay right as hops come, late or in another version."""

from __future__ import annotations

from streams.console.flows import Flow, FlowCounts
from tests.lineage.events.builders import hop, message
from tests.stores import new_store


def test_counts_go_on_from_where_they_were() -> None:
    counts = FlowCounts()
    with new_store() as store:
        # The third hop's id was a record's before, so that its key is older than the others'.
        store.apply([message("m1"), message("h3"), hop("h1", "inbox", "raw", ["m1"])])
        assert counts.flows(store) == [Flow("inbox", "raw", 1)]
        store.apply([hop("h2", "raw", "wide", ["m1"]), hop("h3", "inbox", "raw", ["m1"])])
        expected = [Flow("inbox", "raw", 2), Flow("raw", "wide", 1)]
        assert counts.flows(store) == expected
        assert FlowCounts().flows(store) == expected


def test_another_version_of_a_hop_is_counted_in_the_place_of_the_first() -> None:
    for targets in (("raw", "copy"), ("copy", "raw")):
        counts = FlowCounts()
        with new_store() as store:
            for target in targets:
                store.apply([message("m1"), hop("h1", "inbox", target, ["m1"])])
                assert counts.flows(store) == FlowCounts().flows(store)
            (flow,) = counts.flows(store)
            assert flow.hops == 1

"""Python gives sets, tuples and other iterables where JSON has arrays."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import lineage
from lineage.codec import from_events
from tests.lineage.events.builders import Event, hop, message
from tests.stores import new_store

WAYS = [{"a", "b"}, frozenset("ab"), ("a", "b"), {"a": 1, "b": 2}.keys()]


@pytest.mark.parametrize("ids", WAYS, ids=lambda value: type(value).__name__)
def test_iterables_are_taken_for_inputs_and_outputs(ids: Iterable[str]) -> None:
    with new_store() as store:
        once = list(ids)
        moved: Event = {**hop("h", "inbox", "lake"), "inputs": iter(once), "outputs": set(once)}
        store.apply([message("a"), message("b"), moved], strict=True)
        rows = store.sql("SELECT side, record_id FROM hop_record ORDER BY ALL").fetchall()
    assert rows == [(side, one) for side in ("INPUT", "OUTPUT") for one in ("a", "b")]


@pytest.mark.parametrize("how", ["absent", "null"])
def test_outputs_may_be_left_out(how: str) -> None:
    moved = hop("h", "inbox", "lake", ["a"])
    with new_store() as store:
        if how == "absent":
            del moved["outputs"]
        else:
            moved["outputs"] = None
        store.apply(iter([message("a"), moved]), strict=True)
        arrived = store.sql("SELECT record_id FROM arrival WHERE dataset = 'lake'").fetchall()
    assert arrived == [("a",)]


@pytest.mark.parametrize("ids", ["ab", b"ab", {"a": 1}, 7, None])
def test_what_is_no_set_of_ids_is_a_dead_letter_still(ids: object) -> None:
    with new_store() as store:
        (letter,) = store.apply([{**hop("h", "inbox", "lake"), "inputs": ids}]).dead_letters
    assert "inputs" in letter.reason or "JSON" in letter.reason


def test_the_contract_of_json_is_as_it_was() -> None:
    moved = hop("h", "inbox", "lake", ["a"])
    assert from_events([{**moved, "inputs": {"a"}}]).dead_letters
    assert from_events([{**moved, "outputs": None}]).dead_letters
    del moved["outputs"]
    assert from_events([moved]).dead_letters


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert lineage.__version__ == version("message-lineage")

"""A database is verified: whatever is tampered with is found, and a sound one passes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.audit.verify.checked import Checked
from lineage.database.schema.tables import TABLES
from lineage.limits import Limits
from tests.lineage.audit.verify.tampering import recorded, tables, tampered
from tests.lineage.events.builders import message
from tests.samples import sampled
from tests.stores import new_database

pytestmark = pytest.mark.slow  # a check of the whole file each

# What follows from the events alone, or is held by the shape of events: found without a note.
DERIVED = ("arrival", "flag", "unmatched_input", "policy_span", "declaration_span", "policy_rule")
OTHERS = sorted(
    {table.name for table in TABLES} - {*DERIVED}
    | {
        "format",
        "origin",
        "identifier",
        "latest_uuid",
        "dataset_name",
        "member",
        "policy_method",
        "outbox",
        "alert_target",
    }
)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with new_database() as path:
        yield recorded(path)


@pytest.fixture
def copy(path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(path, path.with_name("copy.duckdb")))


def checks(path: Path, messages: int | None = None) -> list[Checked]:
    with lineage.open(path, read_only=True) as store:
        return list(store.verify(messages))


def problems(path: Path, messages: int | None = None) -> list[str]:
    return [problem for checked in checks(path, messages) for problem in checked.problems]


def change(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_sound_database_says_so(path: Path) -> None:
    for messages in (None, 2):
        found = checks(path, messages)
        assert [checked for checked in found if not checked.is_sound] == []
        told = {checked.check: checked.found for checked in found}
        assert told["digest note"] == "as noted"
        assert told["positions"] == (
            "2 partitions, 21 records read: 16 events, 1 dead letters, 4 repeats and marks;"
            " 1 dead letters in all"
        )
        assert told["arrivals"].endswith("arrivals")


def test_every_table_is_tampered_with_in_these_tests(path: Path) -> None:
    names = tables(path)
    assert set(names) == {*DERIVED, *OTHERS}
    with duckdb.connect(str(path), read_only=True) as connection:
        for name in names:
            assert connection.execute(f"SELECT count(*) FROM core.{name}").fetchone() != (0,), name


def unseen(path: Path, table: str, *, noted: bool) -> list[str]:
    """What can be done to a table that nobody notices.

    A note has one sum of each table, so that a column or two do for the others.
    """
    left = []
    columns = tables(path)[table]
    for what, statement in tampered(table, columns[-2:] if noted else columns):
        copy = Path(shutil.copy(path, path.with_name("tampered.duckdb")))
        change(copy, statement)
        if not noted:
            forget = "UPDATE core.format SET notes = 0, note_holds = false"
            change(copy, "DELETE FROM core.digest_note", forget)
        try:
            if not problems(copy):
                left.append(what)
        except lineage.StoreError:
            assert table == "format"
    return left


@pytest.mark.slow
@pytest.mark.parametrize("table", OTHERS)
def test_whatever_is_done_to_a_table_is_found(path: Path, table: str) -> None:
    assert unseen(path, table, noted=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("table", DERIVED)
def test_what_is_derived_needs_no_note(path: Path, table: str) -> None:
    # When the tracker learned of something follows from no event.
    assert set(unseen(path, table, noted=False)) <= {"recorded_at"}


@pytest.mark.parametrize(
    ("statement", "said"),
    sampled(
        [
            (
                "UPDATE core.arrival SET identifiable = NOT identifiable WHERE hop <> 0",
                r"message m1 in .*: the arrival is stored with another identifiable",
            ),
            ("DELETE FROM core.arrival WHERE hop = 0", r"message m1 in inbox, record m1, at its"),
            (
                "DELETE FROM core.hop WHERE moved_at = '2024-09-18 00:05:00'",
                r"core.hop_input: 1 rows are of a hop that is not there: h4",
            ),
            ("DELETE FROM core.message_party WHERE role = 0", r"has not one sender"),
            ("DELETE FROM core.flag WHERE rule = 'third'", r"rule third: the flag is not stored"),
            ("UPDATE core.hop SET declassifies = NOT declassifies", r"hops declassify and say no"),
            (
                "UPDATE core.ingest_position SET next_offset = -1",
                r"a, partition 0: the position -1",
            ),
            (
                "UPDATE core.hop SET position = 99 WHERE rowid = 1",
                r"core.hop: 1 events of a, partition 0, beyond its position 18, the first at 99",
            ),
            ("DELETE FROM core.origin", r"core.hop: 5 events of an origin that is not there"),
            ("DELETE FROM core.unmatched_input", r"hop h1, input nothing: is not told"),
            ("DELETE FROM core.flag_history WHERE seq = 1", r"are not 1, 2, 3"),
            ("UPDATE core.alert_target SET seq = 99", r"core.alert_target: on-call has 99 of"),
            ("UPDATE core.message SET channel = 9", r"core.message.channel: 4 rows have no value"),
        ],
        4,
    ),
)
def test_it_is_said_what_differs_and_where(copy: Path, statement: str, said: str) -> None:
    change(copy, statement)
    found = "\n".join(problems(copy))
    assert re.search(said, found), found


@pytest.mark.parametrize("table", ["message_party", "policy_rule", "policy_span", "hop_input"])
def test_what_is_gone_as_a_whole_is_told_and_stops_no_check(copy: Path, table: str) -> None:
    change(copy, f"DELETE FROM core.{table}")
    found = checks(copy)
    assert len(found) == 13
    assert any(table in one or "parties" in one for each in found for one in each.problems)


def test_an_event_that_cannot_be_followed_is_told(copy: Path) -> None:
    change(copy, "UPDATE core.hop SET target = 5000000")
    told = "\n".join(problems(copy))
    assert "core.hop.target has 5 keys that are not in core.dataset_name" in told
    assert "cannot be followed, since events are wrong" in told


def test_what_is_recorded_after_a_note_is_no_problem(copy: Path) -> None:
    with lineage.open(copy) as store:
        store.apply([message("new")])
        ((holds,),) = store.sql("SELECT holds FROM digest_note").fetchall()
        assert not holds
    assert problems(copy) == []
    told = {checked.check: checked.found for checked in checks(copy)}
    assert "recorded to since" in told["digest note"]
    change(copy, "DELETE FROM core.message WHERE sent_at > '2000-01-01'")
    assert any("events were noted" in problem for problem in problems(copy))


def test_a_note_changes_no_digest_and_is_kept_with_the_others(copy: Path) -> None:
    with lineage.open(copy) as store:
        before = store.digest()
        assert store.note_digest() == before == store.digest()
        rows = store.sql("SELECT number, digest, holds FROM digest_note ORDER BY number").fetchall()
    assert rows == [(1, before, False), (2, before, True)]
    assert problems(copy) == []


def test_a_sample_is_the_same_by_the_same_seed(path: Path) -> None:
    with lineage.open(path, read_only=True) as store:
        told = [
            [checked.found for checked in store.verify(2, seed) if checked.check == "arrivals"]
            for seed in (1, 1, 2, 3, 4)
        ]
    assert told[0] == told[1]
    assert len({each[0].split(": ")[1] for each in told}) > 1
    assert told[0][0].startswith("2 messages by the seed 1: ")


def test_messages_in_many_parts_are_as_those_in_one(path: Path) -> None:
    limits = Limits(verified_rows=2, judged_arrivals=1)
    with lineage.open(path, read_only=True, limits=limits) as store:
        assert all(checked.is_sound for checked in store.verify(None))

"""The digest: its value never changes, and its memory is bounded whatever the machine has."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

import lineage
from lineage.audit.digest.hash_sort import HashSort
from lineage.database.process import processors
from lineage.store.store import Store
from streams.simulate import simulate
from tests.lineage.events.builders import at, consent, declared, hop, message, party, policy
from tests.stores import new_database, new_store
from tests.test_docs import QUESTIONS

EVENTS = [
    message("m1"),
    message(
        "m2",
        channel="DIRECT",
        parties=[
            party("SENDER", "änn ✓", tier="RECRUITER", region="DE", ai=False),
            party("RECIPIENT", "bob"),
            party("RECIPIENT", '"q"\\ \n', third=False),
        ],
        sent_at=at(1, 7),
    ),
    hop("h1", "inbox", "lake", ["m1", "m2", "never seen"], moved_at=at(2)),
    hop(
        "h2", "lake", "vendor", ["m1", "m2"], ["018ff991-8c99-7655-ad88-8ddcae1470e8", "x"],
        moved_at=at(3), operation="EXPORT", declassification=("k-anonymity", 50),
    ),
    consent("c1", granted=False),
    consent("c2", "bob", granted=True, purpose="THIRD_PARTY"),
    declared("d1", "vendor", "SINK", "THIRD", "Acme"),
    policy(
        "p1", [("r", "HIGH", "identifiable and party = 'THIRD'")],
        effective_at=at(1), disclosed_at=at(2),
    ),
    message("m1", dataset="elsewhere"),
]  # fmt: skip
GOLDEN = "f31e3f5fce32ac178b629af87a62194aee486446e786914f132c9a9714b4d9be"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digest")
    simulate(20_000, seed=1, out=folder / "log")
    with lineage.open(folder / "l.duckdb") as store:
        store.replay(folder / "log")
    return folder / "l.duckdb"


def test_the_digest_of_these_events_is_what_it_was() -> None:
    with new_store() as store:
        assert store.apply(EVENTS).dead_letters == ()
        assert store.digest() == GOLDEN


def test_the_digest_of_nothing_is_that_of_the_names_of_the_sections() -> None:
    names = b"message\nhop\nconsent_change\ndeclaration\npolicy\narrival\nflag\n"
    with new_store() as store:
        assert store.digest() == hashlib.sha256(names).hexdigest()


@pytest.mark.slow
def test_many_threads_and_little_memory_give_the_same_digest(path: Path) -> None:
    """The digest by sorted lists of whole sections failed here, also on a server with 1 GiB."""
    with Store(path, read_only=True, memory_mib=1024, threads=1) as store:
        expected = store.digest()
    with Store(path, read_only=True, memory_mib=64, threads=64) as store:
        assert store.digest() == expected


@pytest.mark.slow
def test_whatever_is_read_stays_within_the_memory_with_many_threads(path: Path) -> None:
    with Store(path, read_only=True, memory_mib=256, threads=64) as store:
        flags = store.flags().fetchall()
        assert flags
        assert store.route(str(flags[0][2])).fetchall()
        for question in QUESTIONS:
            store.sql(question)


@pytest.mark.parametrize(("memory_mib", "most"), [(200, 1), (1024, 8), (8192, 64)])
def test_threads_are_as_many_as_the_memory_has_room_for(memory_mib: int, most: int) -> None:
    with (
        new_database() as path,
        lineage.open(path, read_only=True, memory_mib=memory_mib) as store,
    ):
        ((threads,),) = store.sql("SELECT current_setting('threads')").fetchall()
        assert threads == min(most, processors() or most, os.cpu_count() or most)


@pytest.mark.parametrize("held", [32, 1_000, 10_000_000])
def test_hashes_come_out_sorted_also_by_way_of_files(tmp_path: Path, held: int) -> None:
    hashes = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(500)] + [
        b"\0" * 32,
        b"\xff" * 32,
        b"\x01" + b"\0" * 31,
    ]
    with HashSort(tmp_path, held) as sort:
        for start in range(0, len(hashes), 100):
            sort.add(b"".join(hashes[start : start + 100]))
        assert b"".join(sort.sorted()) == b"".join(sorted(hashes))
    assert list(tmp_path.iterdir()) == []


def test_numpy_compares_hashes_as_bytes() -> None:
    first, second = b"\x7f" + b"\xff" * 31, b"\x80" + b"\0" * 31
    array = np.sort(np.frombuffer(second + first, "S32"))
    assert array.tobytes() == first + second

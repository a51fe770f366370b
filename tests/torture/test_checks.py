"""The checks of a torture run find what they look for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import lineage
from lineage.codec import Encoder, LocalIds
from tests.lineage.codec.examples import FLAG
from tests.torture.checks import Findings, _compare_digests, _compare_ids, folded
from tests.torture.hostile_log import HostileLog, hostile_log

pytestmark = pytest.mark.slow  # a replay for each


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> HostileLog:
    return hostile_log(300, 5, tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def replayed(log: HostileLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replayed") / "replayed.duckdb"
    with lineage.open(path) as store:
        store.replay(log.events)
    return path


def found(db: Path, other: Path, log: HostileLog) -> Findings:
    findings = Findings()
    with lineage.open(db, read_only=True) as store, lineage.open(other, read_only=True) as right:
        _compare_digests(findings, store, right)
        _compare_ids(findings, store, log)
    return findings


def changed(db: Path, folder: Path, statement: str) -> Path:
    """A copy of a database in which a statement was run."""
    copy = folder / "changed.duckdb"
    copy.write_bytes(db.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute(statement)
    return copy


def test_a_log_is_hostile(log: HostileLog) -> None:
    assert 0 < len(log.bad_values) < len(log.records) // 10
    assert len(log.records) > len(log.events.read_text().splitlines())
    events = [json.loads(line) for line in log.events.read_text().splitlines()]
    assert len(events) > len({json.dumps(event, sort_keys=True) for event in events})
    assert len(log.records) - len(log.events.read_text().splitlines()) >= len(log.bad_values)


def test_what_is_equal_is_found_equal(log: HostileLog, replayed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.duckdb"
    with lineage.open(again) as store:
        store.replay(log.events, batch_events=100)
    assert found(again, replayed, log).wrong == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM core.hop WHERE id = (SELECT max(id) FROM core.hop)", "events were lost"),
        ("INSERT INTO core.message FROM core.message LIMIT 1", "there twice"),
        ("DELETE FROM core.flag", "rows are in no replay"),
        ("DELETE FROM core.unmatched_input", "unmatched_input"),
    ],
)
def test_what_differs_is_found(
    log: HostileLog, replayed: Path, tmp_path: Path, statement: str, said: str
) -> None:
    wrong = found(changed(replayed, tmp_path, statement), replayed, log).wrong
    assert any(said in sentence for sentence in wrong), wrong


@dataclass
class Told:
    """A record of the flag topic."""

    key: bytes
    value: bytes


def told(key: bytes, **fields: object) -> Told:
    return Told(key, Encoder(LocalIds()).encode({**FLAG, **fields}))


def test_of_flags_the_last_one_with_a_key_wins_and_cleared_ones_are_gone() -> None:
    records = [
        told(b"a", arrivals=1),
        told(b"b", rule="other"),
        told(b"a", arrivals=2),
        told(b"b", rule="other", status="CLEARED"),
        told(b"c", rule="third", status="CLEARED"),
        told(b"c", rule="third"),
    ]
    standing = {event["rule"]: event["arrivals"] for event in folded(records)}
    assert standing == {"some-rule": 2, "third": 2}

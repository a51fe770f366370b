"""A whole log: its bytes, its shape, and the flags that the tracker finds in it."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lineage import codec
from lineage.codec.contract.events import OPERATIONS, TIERS
from streams.simulate import EXPECTED_FLAGS, SimulationError, Summary, simulate
from streams.simulate.world import company
from tests.samples import sampled
from tests.streams.simulate.log_reader import events, expected, tracked


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("mix", sampled(["own", "worst"], 2))
@pytest.mark.parametrize("format", sampled(["jsonl", "avro"], 2))
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    mix: Any,  # noqa: ANN401 - a Literal
    format: Any,  # noqa: ANN401 - a Literal
    tmp_path: Path,
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(500, seed, tmp_path / name, format=format, mix=mix)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert bytes_of(tmp_path / "a") != bytes_of(tmp_path / "c")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streams.cli", "simulate", "--messages", "1"]
    for hash_seed in "012":  # of Python: the order of its sets
        subprocess.run(
            [*command, "--format", "avro", "--out", tmp_path / hash_seed],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
        )
    written = [bytes_of(tmp_path / hash_seed) for hash_seed in "012"]
    assert written == [written[0]] * 3


@pytest.mark.parametrize(
    ("messages", "seed", "format", "mix"),
    [
        (1, 1, "jsonl", "own"),
        pytest.param(20, 1, "jsonl", "own", marks=pytest.mark.slow),
        pytest.param(300, 1, "jsonl", "own", marks=pytest.mark.slow),
        pytest.param(300, 2, "avro", "own", marks=pytest.mark.slow),
        (300, 3, "avro", "worst"),
        pytest.param(3_000, 4, "jsonl", "own", marks=pytest.mark.slow),
        pytest.param(3_000, 5, "jsonl", "worst", marks=pytest.mark.slow),
    ],
)
def test_the_tracker_finds_exactly_what_was_planted(
    messages: int,
    seed: int,
    format: Any,  # noqa: ANN401 - a Literal
    mix: Any,  # noqa: ANN401 - a Literal
    tmp_path: Path,
) -> None:
    summary = simulate(messages, seed, tmp_path / "log", format=format, mix=mix)
    flags, arrivals, dead = tracked(tmp_path / "log")
    assert flags == expected(tmp_path / "log")
    assert len(flags) == summary.flags
    assert arrivals == summary.arrivals
    assert dead == 0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, list[dict[str, Any]], Path]:
    folder = tmp_path_factory.mktemp("own")
    summary = simulate(6_000, 11, folder)
    return summary, events(folder), folder


Own = tuple[Summary, list[dict[str, Any]], Path]


@pytest.mark.slow
def test_the_summary_counts_what_was_written(own: Own) -> None:
    summary, log, folder = own
    assert summary.events == Counter(event["event"] for event in log)
    assert summary.messages == 6_000
    assert len({e["message_id"] for e in log if e["event"] == "MessageSent"}) == 6_000
    assert summary.paths == (folder / "events-0000.jsonl",)
    assert summary.expected == folder / EXPECTED_FLAGS
    assert summary.flags == len(expected(folder)) > 100
    assert min(*summary.leaks.values(), *summary.near_misses.values()) == 3


@pytest.mark.slow
def test_every_event_keeps_the_contract(own: Own) -> None:
    _, log, folder = own
    batches = list(codec.read_log([folder]))
    assert not any(batch.dead_letters for batch in batches)
    assert sum(batch.events for batch in batches) == len(log)


@pytest.mark.slow
def test_a_long_log_goes_on_in_the_next_file(tmp_path: Path) -> None:
    simulate(300, 1, tmp_path / "one")
    summary = simulate(300, 1, tmp_path / "many", file_events_max=400)
    total = sum(summary.events.values())
    names = [path.name for path in summary.paths]
    assert names == [f"events-{n:04}.jsonl" for n in range(-(-total // 400))]
    assert len(names) > 2
    assert len(summary.paths[0].read_bytes().splitlines()) == 400
    assert events(tmp_path / "many") == events(tmp_path / "one")


@pytest.mark.slow
def test_both_formats_hold_the_same_events(tmp_path: Path) -> None:
    simulate(400, 9, tmp_path / "jsonl")
    simulate(400, 9, tmp_path / "avro", format="avro")

    def canonical(folder: Path) -> Counter[bytes]:
        found: Counter[bytes] = Counter()
        for read in codec.read_events([folder]):
            assert isinstance(read, tuple)
            found[codec.canonical_json(*read)] += 1
        return found

    assert canonical(tmp_path / "jsonl") == canonical(tmp_path / "avro")
    assert (
        bytes_of(tmp_path / "jsonl")[EXPECTED_FLAGS] == bytes_of(tmp_path / "avro")[EXPECTED_FLAGS]
    )


@pytest.mark.slow
def test_messages_come_in_the_order_of_time_with_ids_that_sort_so(own: Own) -> None:
    first: dict[str, str] = {}
    for event in own[1]:
        if event["event"] == "MessageSent":
            first.setdefault(event["message_id"], event["sent_at"])
    assert list(first.values()) == sorted(first.values())
    milliseconds = [message_id[:13] for message_id in first]
    assert milliseconds == sorted(milliseconds)
    assert min(first.values()) < "2024-06-03" < "2026-01-30" < max(first.values()) < "2026-02-13"


def test_a_message_has_about_four_arrivals(own: Own) -> None:
    assert 3.5 < own[0].arrivals / own[0].messages < 4.5


def is_late_withdrawal(event: dict[str, Any], before: list[dict[str, Any]]) -> bool:
    if event["event"] != "ConsentChanged" or event["granted"]:
        return False
    return any(
        e["event"] == "RecordsMoved" and e["moved_at"] > event["effective_at"] for e in before
    )


def test_some_events_come_twice_and_some_late(own: Own) -> None:
    log = own[1]
    twice = Counter(str(event) for event in log)
    assert {event["event"] for event in log if twice[str(event)] == 2} >= {
        "MessageSent",
        "RecordsMoved",
    }
    sold = next(n for n, e in enumerate(log) if e.get("recipient") == "Example Partner")
    assert any(e["event"] == "MessageSent" and e["sent_at"] > "2025-03-01" for e in log[:sold])
    assert any(is_late_withdrawal(event, log[:n]) for n, event in enumerate(log))


def test_groups_regions_tiers_and_bases_are_as_varied_as_a_network(own: Own) -> None:
    sent = [event for event in own[1] if event["event"] == "MessageSent"]
    parties = [party for event in sent for party in event["parties"]]
    channels = Counter(event["channel"] for event in sent)
    assert channels["DIRECT"] > channels["INMAIL"] > channels["GROUP"] > 100
    assert max(len(event["parties"]) for event in sent) == 20
    assert all(len(e["parties"]) == 2 for e in sent if e["channel"] != "GROUP")
    assert len({party["region"] for party in parties}) > 20
    assert {party["tier"] for party in parties} == set(TIERS)
    changed = [event for event in own[1] if event["event"] == "ConsentChanged"]
    assert {event["basis"] for event in changed} == {"DEFAULT", "MEMBER", "POLICY"}
    for event in sent:
        ids = [party["member_id"] for party in event["parties"]]
        assert len(set(ids)) == len(ids)


def test_hops_are_batched_and_use_every_operation(own: Own) -> None:
    hops = [event for event in own[1] if event["event"] == "RecordsMoved"]
    assert {hop["operation"] for hop in hops} == set(OPERATIONS)
    landed = [hop for hop in hops if hop["job"] == "land-messages"]
    assert sum(len(hop["inputs"]) for hop in landed) / len(landed) >= 9
    assert {hop["declassification"]["method"] for hop in hops if hop["declassification"]} == {
        company.METHOD
    }


def test_the_worst_mix_is_three_single_records_a_message(tmp_path: Path) -> None:
    summary = simulate(1_000, 3, tmp_path, mix="worst")
    log = events(tmp_path)
    hops = {e["hop_id"]: e for e in log if e["event"] == "RecordsMoved"}
    assert len(hops) == 3 * summary.messages
    assert all(len(hop["inputs"]) == 1 and not hop["outputs"] for hop in hops.values())
    assert {hop["operation"] for hop in hops.values()} == {"COPY", "TRANSFORM", "EXPORT"}
    assert set(Counter(hop["inputs"][0] for hop in hops.values()).values()) == {3}
    assert all(len(e["parties"]) == 2 for e in log if e["event"] == "MessageSent")
    assert min(summary.leaks.values()) == min(summary.near_misses.values()) == 3


def test_progress_ends_at_the_number_of_messages(tmp_path: Path) -> None:
    told: list[int] = []
    simulate(700, 1, tmp_path, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 700


@pytest.mark.parametrize(
    ("argument", "why"),
    [({"messages": 0}, "1 or more"), ({"format": "csv"}, "jsonl or avro"), ({"mix": "x"}, "worst")],
)
def test_an_argument_that_cannot_be_is_an_error(
    argument: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises(SimulationError, match=why):
        simulate(**{"messages": 1, "seed": 1, "out": tmp_path / "log", **argument})
    assert not (tmp_path / "log").exists()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(SimulationError, match="not empty"):
        simulate(10, 1, tmp_path)
    assert bytes_of(tmp_path) == {"mine.txt": b"keep"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    with pytest.raises(SimulationError, match="cannot be used as a folder"):
        simulate(10, 1, tmp_path / "log")

"""Simulates an event log: ordinary messages and their flows, planted leaks, expected flags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from streams.simulate.errors import SimulationError
from streams.simulate.flow import Flow, timetable
from streams.simulate.leaks import injection
from streams.simulate.log_writer import (
    FILE_EVENTS_MAX,
    AvroFiles,
    JsonLines,
    LogWriter,
    with_text_instants,
)
from streams.simulate.world import company
from streams.simulate.world import messages as ordinary
from streams.simulate.world.events import (
    CONSENT_CHANGED,
    DATASET_DECLARED,
    MESSAGE_SENT,
    POLICY_PUBLISHED,
    RECORDS_MOVED,
    Frames,
    frame,
)
from streams.simulate.world.graph import place_in_time, read_graph
from streams.simulate.world.members import consent_changes, make_members
from streams.simulate.world.random_stream import below, chance, stream_key
from streams.simulate.worst_case_flow import WorstFlow

EXPECTED_FLAGS = "expected-flags.jsonl"

_MEMBERS_MIN, _MEMBERS_MAX = 50, 500_000
_MESSAGES_A_MEMBER = 20
_ONE_AGAIN_IN = 1_000


@dataclass(frozen=True)
class Summary:
    """The counts and files of a log that was written.

    events: by type, second copies included. messages: distinct ones, planted ones included.
    arrivals: how many a tracker must find, origins included. leaks, near_misses: planted ones, by
    scenario. flags: rows of `expected`, the file of the expected flags; paths: files of the log.
    """

    events: dict[str, int]
    messages: int
    arrivals: int
    leaks: dict[str, int]
    near_misses: dict[str, int]
    flags: int
    paths: tuple[Path, ...]
    expected: Path


def simulate(
    messages: int,
    seed: int,
    out: Path,
    format: Literal["jsonl", "avro"] = "jsonl",
    graph: Path | None = None,
    mix: Literal["own", "worst"] = "own",
    progress: Callable[[int], None] | None = None,
    file_events_max: int = FILE_EVENTS_MAX,
) -> Summary:
    """Write an event log with planted leaks into a folder, and beside it the expected flags.

    messages: how many, planted ones included; at most as many as `graph` holds. seed: the same
    arguments give the same bytes. out: a folder that is empty or not there yet. format: lines of
    JSON (events-0000.jsonl...), or Avro object container files, one a type. graph: takes
    sender, recipient and order in time from this list (see `graph.read_graph`), its times
    stretched to the simulated ones. mix: the company's own flow, about four arrivals a message,
    or the worst, three hops of a single record for each. progress: is told the number of
    messages made so far. file_events_max: of one file of JSON lines.

    Raises SimulationError if the arguments or the folder cannot be used, GraphError if the list
    cannot be read. Memory does not grow with `messages`, only with the list and the members.
    """
    _check(messages, format, mix)
    rows = None if graph is None else read_graph(graph)
    if rows is not None:
        messages = min(messages, rows.height)
    _make_folder(out)
    injections = injection.schedule(
        seed, messages, injection.OWN_MIX if mix == "own" else injection.WORST_MIX
    )
    planted = sum(each.scenario.messages for each in injections)
    source = _Source.of(seed, messages - planted, rows)
    injector = injection.LeakInjector(seed, injections, first_member=source.members.height)
    writer = JsonLines(out, file_events_max) if format == "jsonl" else AvroFiles(out, seed)
    flow = Flow(seed) if mix == "own" else WorstFlow(seed)
    try:
        _write_log(seed, source, flow, injector, writer, progress)
        flags = injection.expected_flags(injector.breaks)
        with_text_instants(flags).write_ndjson(out / EXPECTED_FLAGS)
    except OSError as error:
        raise SimulationError(
            f"{out}: the log is cut short ({error.strerror}); make room and name an empty folder"
        ) from error
    return Summary(
        events=dict(writer.events),
        messages=messages,
        arrivals=flow.arrivals + injector.arrivals,
        leaks=dict(injector.leaks),
        near_misses=dict(injector.near_misses),
        flags=flags.height,
        paths=tuple(writer.paths),
        expected=out / EXPECTED_FLAGS,
    )


def _check(messages: int, format_: str, mix: str) -> None:
    if messages < 1:
        raise SimulationError(f"messages is {messages}; right is 1 or more")
    if format_ not in ("jsonl", "avro"):
        raise SimulationError("format is none that can be written; right is jsonl or avro")
    if mix not in ("own", "worst"):
        raise SimulationError("mix is unknown; right is own or worst")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        empty = not any(out.iterdir())
    except OSError as error:
        raise SimulationError(
            f"{out}: cannot be used as a folder ({error.strerror}); name an empty or new one"
        ) from error
    if not empty:
        raise SimulationError(
            f"{out}: is not empty, and a log is all that is in its folder; name an empty or new one"
        )


@dataclass(frozen=True)
class _Source:
    """The source of the ordinary messages: the member base, or a list of real ones."""

    members: pl.DataFrame
    windows: ordinary.Windows
    chunks: Iterator[pl.DataFrame]

    @staticmethod
    def of(seed: int, count: int, rows: pl.DataFrame | None) -> _Source:
        if rows is not None:
            windows = ordinary.Windows.of_graph(count)
            graph = place_in_time(rows[:count])
            members = make_members(seed, graph.member_ids.len(), graph.member_ids)
            return _Source(members, windows, ordinary.graph_messages(graph, windows))
        windows = ordinary.Windows.of(count)
        number = min(_MEMBERS_MAX, max(_MEMBERS_MIN, count // _MESSAGES_A_MEMBER))
        chunks = ordinary.random_messages(seed, count, number, windows)
        return _Source(make_members(seed, number), windows, chunks)


def _write_log(
    seed: int,
    source: _Source,
    flow: Flow | WorstFlow,
    injector: injection.LeakInjector,
    writer: LogWriter,
    progress: Callable[[int], None] | None,
) -> None:
    """Write the log by chunks; events after a chunk's last window are held until their turn."""
    writer.add(declarations_and_policies())
    consents = consent_changes(seed, source.members)
    done = 0
    for number, chunk in enumerate(source.chunks):
        first, last = int(chunk["window"][0]), int(chunk["window"][-1])
        chunk = chunk.join(
            timetable(seed, source.windows, first, last), "window", maintain_order="left"
        )
        sent = ordinary.with_parties(seed, source.members, chunk, groups=isinstance(flow, Flow))
        before = source.windows.start(last + 1)
        cut = consents["effective_at"].search_sorted(before, side="left")
        frames: Frames = {
            MESSAGE_SENT: [sent.with_columns(dataset=pl.lit(company.ORIGIN), log_at="sent_at")],
            RECORDS_MOVED: flow.hops(sent),
            CONSENT_CHANGED: [consents[:cut]],
        }
        consents = consents[cut:]
        writer.add(frames)
        writer.add(_duplicates(stream_key(seed, "again", number), frames))
        writer.add(injector.until(before))
        writer.write_until(before)
        done += chunk.height
        if progress is not None:
            progress(done)
    writer.add({CONSENT_CHANGED: [consents]})
    writer.add(injector.until(company.NEVER))
    writer.write_until(company.NEVER)
    if progress is not None:
        progress(done + injector.messages)


def declarations_and_policies() -> Frames:
    """Return the declarations, and the policies, each at the instant from which it holds."""
    declarations = [
        {
            "declaration_id": f"declaration-{number:02}",
            "dataset": each.dataset,
            "kind": each.kind,
            "party": each.party,
            "recipient": each.recipient,
            "declared_at": each.declared_at,
            "log_at": each.log_at,
        }
        for number, each in enumerate(company.DECLARATIONS)
    ]
    policies = [
        {
            "policy_id": each.policy_id,
            "effective_at": each.effective_at,
            "disclosed_at": each.disclosed_at,
            "document": each.document,
            "log_at": each.effective_at,
        }
        for each in company.PUBLISHED
    ]
    return {
        DATASET_DECLARED: [frame(DATASET_DECLARED, declarations)],
        POLICY_PUBLISHED: [frame(POLICY_PUBLISHED, policies)],
    }


def _duplicates(key: int, frames: Frames) -> Frames:
    """Return second copies of one event in a thousand, up to two days later in the log."""
    row = pl.int_range(pl.len())
    delay = company.HOUR + below(key + 1, row, 2 * company.DAY)
    return {
        name: [
            each.with_columns(log_at=pl.col("log_at") + delay).filter(
                chance(stream_key(key, name, place), row, _ONE_AGAIN_IN)
            )
            for place, each in enumerate(some)
        ]
        for name, some in frames.items()
    }

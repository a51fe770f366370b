"""Runs parts, shows their figures, keeps them, and writes them into the documentation."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from benchmarks import sizes
from benchmarks.environment import Environment
from benchmarks.errors import BenchmarkError, MissingError
from benchmarks.figures import Outcome, Results, read_results, write_outcome
from benchmarks.measurement.machine import describe
from benchmarks.report.history_chart import history_chart
from benchmarks.report.tables import fill, show
from benchmarks.report.throughput_chart import throughput_bars, throughput_chart
from benchmarks.sizes import Sizes
from benchmarks.suites import (
    console,
    disorder,
    evolved,
    history,
    latency,
    live,
    peers,
    questions,
    readers,
    replay,
    stages,
    whatif,
)

__all__ = ["SUITES", "main"]

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
HISTORY = ROOT / "docs" / "pictures" / "history.svg"
THROUGHPUT = ROOT / "docs" / "pictures" / "throughput.svg"

Suite = Callable[[Environment, Sizes], Outcome]
SUITES: dict[str, Suite] = {
    "replay": replay.measure,
    "long": replay.measure_long,
    "stages": stages.measure,
    "history": history.measure,
    "disorder": disorder.measure,
    "evolved": evolved.measure,
    "views": questions.measure_views,
    "questions": questions.measure,
    "console": console.measure,
    "whatif": whatif.measure,
    "live": live.measure,
    "latency": latency.measure,
    "readers": readers.measure,
    "peers": peers.measure,
}
# Each takes longer than all the others.
_APART = {"history", "long"}
_TITLES = {
    "replay": "replay: a log on disk, from decoding to committed flags",
    "long": "long: one long log on disk, from decoding to committed flags",
    "stages": "stages: where the time goes, one thread, a stage after the other",
    "views": "views: what an analyst asks of the views",
    "questions": "questions: the saved questions of auditors",
    "console": "console: pages, as a browser asks for them",
    "disorder": "disorder: single batches that are not in the order of time",
    "evolved": "evolved: decoding values of other schemas",
    "history": "history: the cost of a batch, however much there is already",
    "whatif": "whatif: the flags of a policy, without and with a replay",
    "live": "live: what lies in Kafka, until it is recorded",
    "latency": "latency: from a leak's last hop to its flag on the topic",
    "readers": "readers: what ten of them and a hostile one cost a worker",
    "peers": "peers: the same job, written the usual way",
}


def main(
    arguments: Sequence[str] | None = None, suites: Mapping[str, Suite] = MappingProxyType(SUITES)
) -> int:
    """Run parts; the exit code: 0 done, 1 a part failed, 2 bad usage, 130 stopped."""
    options = _parser(suites).parse_args(arguments)
    # As Ctrl-C does: temporary folders and measured processes go too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.write_docs:
            _write_docs(read_results(options.json))
            return 0
        parts = options.parts or [name for name in suites if name not in _APART]
        with tempfile.TemporaryDirectory(prefix="lineage-bench-logs-") as folder:
            logs = options.logs or Path(folder)
            logs.mkdir(parents=True, exist_ok=True)
            chosen = {name: suites[name] for name in parts}
            return _run(chosen, sizes.of_options(options), options.json, logs)
    except BenchmarkError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130


def _parser(suites: Mapping[str, Suite]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure; without a PART, all of them but history and long. Leave the "
        "machine alone meanwhile.",
    )
    # No choices here: argparse holds an empty list against them too.
    names = ", ".join(suites)

    def part(name: str) -> str:
        if name not in suites:
            raise argparse.ArgumentTypeError(f"{name!r} is no part; these are: {names}")
        return name

    parser.add_argument("parts", nargs="*", type=part, metavar="PART", help=names)
    parser.add_argument(
        "--json", type=Path, default=RESULTS, metavar="DIR",
        help="where results are kept, a file a part; parts that are not run keep theirs "
        "(benchmarks/results)",
    )  # fmt: skip
    parser.add_argument(
        "--logs", type=Path, metavar="DIR",
        help="keep the simulated logs there, and use those that are there",
    )  # fmt: skip
    parser.add_argument(
        "--write-docs", action="store_true",
        help="measure nothing; write the results into docs/performance.md and its charts",
    )  # fmt: skip
    sizes.add_options(parser)
    return parser


def _run(suites: Mapping[str, Suite], size: Sizes, folder: Path, logs: Path) -> int:
    failed = False
    for name, suite in suites.items():
        machine = describe()
        began = time.monotonic()
        try:
            with Environment(name, logs) as environment:
                outcome = suite(environment, size)
        except MissingError as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
            continue
        except BenchmarkError as error:
            sys.stderr.write(f"{name} failed: {error}\n")
            failed = True
            continue
        used = {key: asdict(size)[key] for key in outcome.sizes}
        outcome = replace(
            outcome, machine=machine, sizes=used, seconds=round(time.monotonic() - began, 1)
        )
        show(_TITLES[name], outcome)
        # After each part, so that stopping loses nothing.
        write_outcome(folder, name, outcome)
    return 1 if failed else 0


def _write_docs(results: Results) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(fill(text, results), encoding="utf-8")
    if "history" in results:
        HISTORY.write_text(history_chart(results["history"].points), encoding="utf-8")
    if bars := throughput_bars(results):
        THROUGHPUT.write_text(throughput_chart(bars), encoding="utf-8")

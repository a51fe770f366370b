"""Measures what the SDK costs a job, and prints {what: microseconds of its thread}.

A hop of so many ids is reported to a folder, to an address where nobody answers, and where the SDK
is disabled; the time is that of the job's own thread (the sender has another), the median of
rounds. Importing is measured in processes of its own, beside one that imports what nearly every job
has already (logging, dataclasses, json, pathlib).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import lineage_sdk

_ROUNDS = 9
_PROCESSES = 21
_SDK = Path(lineage_sdk.__file__).parent.parent
_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.process_time()
import {modules}
print((time.process_time() - began) * 1e6)
"""


def main() -> None:
    """Run."""
    found = {
        "import lineage_sdk": _import_micros("lineage_sdk"),
        "import what jobs have": _import_micros("logging, dataclasses, json, pathlib"),
    }
    with TemporaryDirectory() as folder:
        places = {
            "to a folder": {"emit": f"file://{folder}/log"},
            "with nobody there": {"emit": "http://127.0.0.1:1/"},
            "disabled": {"disabled": True},
        }
        for name, settings in places.items():
            lineage_sdk.configure(job="bench", spool=f"{folder}/spool", **settings)  # type: ignore[arg-type]  # as given above
            for ids in (1, 100, 10_000):
                found[f"a hop of {ids:,} ids, {name}"] = _hop_micros(ids)
            lineage_sdk.flush(30 if "folder" in name else 0)
    print(json.dumps({what: round(micros, 1) for what, micros in found.items()}, indent=2))


def _hop_micros(count: int) -> float:
    ids = [f"0192e4a0-0000-7000-8000-{number:012x}" for number in range(count)]
    hops = max(3, 2_000 // count)

    def report() -> None:
        for _ in range(hops):
            with lineage_sdk.hop("inbox", "warehouse") as h:
                h.keep(ids)

    return _median(report) / hops


def _median(work: Callable[[], None]) -> float:
    work()
    taken = []
    for _ in range(_ROUNDS):
        began = time.thread_time()
        work()
        taken.append((time.thread_time() - began) * 1e6)
    return statistics.median(taken)


def _import_micros(modules: str) -> float:
    command = [sys.executable, "-I", "-S", "-c", _IMPORT.format(modules=modules), str(_SDK)]
    runs = (subprocess.run(command, capture_output=True, check=True) for _ in range(_PROCESSES))  # noqa: S603 - its own command
    return statistics.median(float(run.stdout) for run in runs)


if __name__ == "__main__":
    main()

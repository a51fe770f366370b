"""Feeds damaged input to every reader, so many of each, the same for the same seed."""

from __future__ import annotations

import faulthandler
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.torture.fuzz_avro import containers, wire
from tests.torture.fuzz_oracle import Tried
from tests.torture.fuzz_policies import documents
from tests.torture.fuzz_text import json_lines

Try = Callable[[random.Random, Path], Tried]

# By kind: how to try some, and how many of a million inputs are of it. A document takes
# milliseconds, since its rules are planned.
_KINDS: Final[dict[str, tuple[Try, int]]] = {
    "Kafka values": (wire, 800_000),
    "JSON lines": (json_lines, 170_000),
    "container files": (containers, 25_000),
    "policy documents": (documents, 5_000),
}
_INPUTS: Final = 1_000_000
# For one round of some inputs: no reader may hang, or take memory out of proportion.
_SECONDS_MAX = 60.0
_MIB_MAX = 2_048


@dataclass(frozen=True)
class Fuzzed:
    """What was tried, by kind, and the sentences about what went wrong."""

    tried: dict[str, Tried]
    seconds: dict[str, float]
    mib: int
    wrong: list[str]

    @property
    def figures(self) -> dict[str, int | float]:
        """The counts by kind, and the most memory that it took."""
        found: dict[str, int | float] = {}
        for kind, tried in self.tried.items():
            found[f"{kind} tried"] = tried.inputs
            found[f"{kind} accepted"] = tried.accepted
            found[f"{kind} accepted in percent"] = round(100 * tried.share, 1)
            found[f"{kind} seconds"] = round(self.seconds[kind], 1)
        found["inputs tried"] = sum(one.inputs for one in self.tried.values())
        found["memory in MiB at the most"] = self.mib
        return found


def run(seed: int, inputs: int, folder: Path, say: Callable[[str], None]) -> Fuzzed:
    """Try so many inputs in all. A round that goes wrong is named, and the next one follows."""
    tried: dict[str, Tried] = {}
    seconds: dict[str, float] = {}
    wrong: list[str] = []
    for kind, (some, share) in _KINDS.items():
        began = time.monotonic()
        tried[kind] = Tried()
        number = 0
        while tried[kind].inputs < inputs * share / _INPUTS:
            name = f"{seed}/{kind}/{number}"
            tried[kind] += _round(name, some, folder, wrong)
            number += 1
        seconds[kind] = time.monotonic() - began
        accepted = f"{tried[kind].share:.0%} accepted"
        say(f"{kind}: {tried[kind]}, {accepted}, {seconds[kind]:.0f} s, {_peak_mib()} MiB at most")
    return Fuzzed(tried, seconds, _peak_mib(), wrong)


def _round(name: str, some: Try, folder: Path, wrong: list[str]) -> Tried:
    # A reader in another language does not come back to be interrupted: the process ends, and
    # says where it hung.
    faulthandler.dump_traceback_later(_SECONDS_MAX, exit=True)
    # In a process that other tests have run in, its peak may have been theirs.
    bound = max(_MIB_MAX, _peak_mib())
    try:
        return some(random.Random(name), folder)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        wrong.append(f"{name}: {type(error).__name__}: {error}"[:500])
        return Tried(1)
    finally:
        faulthandler.cancel_dump_traceback_later()
        if _peak_mib() > bound:
            wrong.append(f"{name}: {_peak_mib()} MiB of memory")


def _peak_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)

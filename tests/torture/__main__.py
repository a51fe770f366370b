"""`python -m tests.torture`: kills workers, feeds nonsense to every reader, and loads for long.

What was done is a table on stdout, and its last line is JSON: seed, figures, and how much was
wrong. The same seed gives the same plan and the same input, not the same moments.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.torture import fuzz, kills

_ALL = ("kills", "fuzz", "soak")
_FAILED = 1


@dataclass(frozen=True)
class _Part:
    """What a part of a run found: lines for people, figures, and what was wrong."""

    lines: list[str]
    figures: dict[str, object]
    wrong: list[str]


def main() -> int:
    """Run what was asked for; 1 where something was wrong."""
    options = _options()
    # Either ends the kills early, and what was done by then is checked.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    seed = random.randrange(10**6) if options.seed is None else options.seed
    folder = options.dir or Path(tempfile.mkdtemp(prefix="torture-"))
    parts: dict[str, Callable[[Path], _Part]] = {
        "kills": lambda inside: _kills(seed, options.kills, inside),
        "fuzz": lambda inside: _fuzz(seed, options.inputs, inside),
        "soak": lambda inside: _soak(seed, options.minutes, inside, options.log),
    }
    figures: dict[str, object] = {"seed": seed}
    wrong: list[str] = []
    for name in options.only or _ALL:
        inside = folder / name
        inside.mkdir(parents=True, exist_ok=True)
        done = parts[name](inside)
        print("\n".join(done.lines))
        figures |= done.figures
        wrong += done.wrong
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    print(json.dumps({**figures, "wrong": len(wrong)}))
    if wrong:
        print(f"seed {seed}; what was made is kept in {folder}", file=sys.stderr)
        return _FAILED
    if options.dir is None:
        shutil.rmtree(folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=_ALL, action="append", help="this part; may be repeated")
    parser.add_argument("--seed", type=int, help="of plan, log and input; drawn and told if absent")
    parser.add_argument("--kills", type=int, default=200, help="of the worker by SIGKILL (200)")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of the fuzzing (1,000,000)")
    parser.add_argument("--minutes", type=float, default=60, help="of the soak (60)")
    parser.add_argument(
        "--log", type=Path, help="a long log that was simulated before, for the soak to send"
    )
    parser.add_argument("--dir", type=Path, help="where to work; it is kept then")
    return parser.parse_args()


def _kills(seed: int, count: int, folder: Path) -> _Part:
    outcome = kills.run(seed, count, folder, _say)
    figures: dict[str, object] = {"kills": outcome.kills, "seconds": round(outcome.seconds)}
    figures |= outcome.findings.figures
    return _Part([kills.table(outcome.done)], figures, outcome.findings.wrong)


def _fuzz(seed: int, inputs: int, folder: Path) -> _Part:
    fuzzed = fuzz.run(seed, inputs, folder, _say)
    return _Part([], dict(fuzzed.figures), fuzzed.wrong)


def _soak(seed: int, minutes: float, folder: Path, log: Path | None) -> _Part:
    from tests.torture import soak  # it needs a client that the other parts do without

    soaked = soak.run(seed, minutes, folder, _say, log)
    return _Part([], dict(soaked.figures), soaked.wrong)


def _say(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

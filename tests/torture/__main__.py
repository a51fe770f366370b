"""`python -m tests.torture`: kills workers, feeds them nonsense, and loads them, for long."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.torture import kills


def main() -> int:
    """Run what was asked for; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--only", choices=["kills", "fuzz", "soak"], help="one part alone")
    parser.add_argument("--seed", type=int, default=None, help="of the plan and the log")
    parser.add_argument("--kills", type=int, default=200, help="of the worker, with SIGKILL")
    parser.add_argument("--dir", type=Path, help="where to work; kept then")
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    folder = options.dir or Path(tempfile.mkdtemp(prefix="torture-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = kills.run(seed, options.kills, folder, kills.to_stderr)
    print(kills.table(outcome.done))
    for sentence in outcome.findings.wrong:
        print(f"WRONG: {sentence}")
    figures = {
        "seed": seed,
        "kills": outcome.kills,
        "seconds": round(outcome.seconds),
        **outcome.findings.figures,
        "wrong": len(outcome.findings.wrong),
    }
    print(json.dumps(figures))
    if outcome.findings.wrong:
        print(f"what was made is kept in {folder}", file=sys.stderr)
        return 1
    if options.dir is None:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Applies a log batch by batch, and prints for each, one JSON object a line:

history: messages recorded before it; events; arrivals (new ones); seconds that applying took,
from the decoded batch to the end of the transaction. Last of all {"stored": how many arrivals}:
an arrival that a conflict retracts and finds anew is new twice, but stored once.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import lineage
from lineage.codec import read_log
from streams.worker.configuration.settings import WRITER_MEMORY_MIB


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--batch", type=int, required=True, help="events in each")
    asked = parser.parse_args()
    history = 0
    with lineage.open(asked.database, memory_mib=WRITER_MEMORY_MIB) as store:
        for batch in read_log(asked.log, batch_events=asked.batch):
            began = time.perf_counter()
            applied = store.apply_batch(batch)
            seconds = time.perf_counter() - began
            row = {
                "history": history,
                "events": applied.events,
                "arrivals": applied.arrivals,
                "seconds": round(seconds, 6),
            }
            print(json.dumps(row), flush=True)
            history += batch.messages.height
        (stored,) = store.sql("SELECT count(*) FROM core.arrival").fetchall()[0]
        print(json.dumps({"stored": stored}), flush=True)


if __name__ == "__main__":
    main()

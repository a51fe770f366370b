"""Prints {"arrivals": how many, "flags": [[message, dataset], ...]} of our or a peer's database.

The flags are those about third parties, in order; peers judge nothing else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import duckdb

_FLAGS = (
    "SELECT message_id, dataset FROM flag WHERE rule = 'confidential-inmail-to-third-party' "
    "ORDER BY ALL"
)


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    with duckdb.connect(str(parser.parse_args().database), read_only=True) as connection:
        (arrivals,) = connection.execute("SELECT count(*) FROM arrival").fetchall()[0]
        flags = connection.execute(_FLAGS).fetchall()
    print(json.dumps({"arrivals": arrivals, "flags": flags}))


if __name__ == "__main__":
    main()

"""Asks for the console's pages over HTTP, one after the other, and prints {page: milliseconds}.

Each page is asked for a few times to warm up, then 40 times; the figure is the 95th percentile. The
message is the last one that was flagged as critical, the member its sender, the dataset where.
"""

from __future__ import annotations

import argparse
import json
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import lineage
from benchmarks.measurement.quantiles import quantile
from streams.console.address import page_address
from streams.console.console import pages_of
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ANY_PORT, ServeSettings

_WARM_UPS = 3
_TIMES = 40
_LEAK = """
SELECT f.message_id, f.dataset, f.policy_id, p.member_id
FROM flag f
JOIN message_party p ON p.message_id = f.message_id AND p.role = 'SENDER'
WHERE f.severity = 'CRITICAL'
ORDER BY f.first_at DESC
LIMIT 1
"""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    settings = ServeSettings.of(ANY_PORT, console=True)
    with lineage.open(parser.parse_args().database, read_only=True) as store:
        readers = Readers(store, settings.limits)
        server = QuestionServer(readers, settings, None, store.backup, (), pages_of(settings))
        server.start()
        asked = {name: _milliseconds(server.url, path) for name, path in _pages(store).items()}
        server.stop()
    print(json.dumps(asked))


def _pages(store: lineage.Store) -> dict[str, str]:
    ((message, dataset, policy, member),) = store.sql(_LEAK).fetchall()
    return {
        "overview": "/",
        "flags": "/flags",
        "flags of a region and a tier": "/flags?region=DE&tier=RECRUITER",
        "message": page_address("message", message),
        "member": page_address("member", member),
        "dataset": page_address("dataset", dataset),
        "policies": "/policies",
        "policy": page_address("policy", policy),
        "questions": "/questions",
        "health": "/health",
    }


def _milliseconds(url: str, path: str) -> float:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    times = []
    for number in range(_WARM_UPS + _TIMES):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept": "text/html"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise SystemExit(f"{path} gives {response.status}")
        if number >= _WARM_UPS:
            times.append(1000 * (time.perf_counter() - began))
    connection.close()
    return quantile(times, 0.95)


if __name__ == "__main__":
    main()

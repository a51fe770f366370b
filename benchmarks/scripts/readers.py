"""Reads from a running worker as ten people would, and as one who means harm; until it is ended.

Ten readers ask for pages of the console and saved questions, one after the other, and look at each
for a while. Beside them a process asks a question without end, again and again, and is killed each
time. Prints a line of JSON at each look: {answers, refusals, slowest_ms}.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

from streams.serve.address_file import ServedAt, announced

_READERS = 10
_LOOKS_SECONDS = 2.0
_HOSTILE_SECONDS = 3.0
_TOLD_SECONDS = 0.5
_PAGES = ("/", "/flags", "/policies", "/questions", "/health", "/flags?severity=CRITICAL")
_QUESTIONS = ("recipients", "undeclared-datasets", "confidential-jobs", "silent-datasets")
_ENDLESS = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b"
_FOREVER = """
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"Authorization": sys.argv[2]}))
"""


class _Readers:
    def __init__(self, where: ServedAt) -> None:
        self._where = where
        self._netloc = urlsplit(where.url).netloc
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.answers = self.refusals = 0
        self.slowest_ms = 0.0

    def start(self) -> None:
        """Begin to read."""
        for number in range(_READERS):
            threading.Thread(target=self._read, args=(number,), daemon=True).start()
        threading.Thread(target=self._harm, daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()

    def _read(self, number: int) -> None:
        chance = random.Random(number)  # noqa: S311 -- no secret
        asked = [*_PAGES, *(f"/question/{name}" for name in _QUESTIONS)]
        chance.shuffle(asked)
        self._ended.wait(_LOOKS_SECONDS * chance.random())
        for path in itertools.cycle(asked):
            began = time.perf_counter()
            took_place = self._ask(path)
            with self._lock:
                self.answers += took_place
                self.refusals += not took_place
                self.slowest_ms = max(self.slowest_ms, 1000 * (time.perf_counter() - began))
            if self._ended.wait(_LOOKS_SECONDS * (0.5 + chance.random())):
                return

    def _ask(self, path: str) -> bool:
        connection = HTTPConnection(self._netloc, timeout=60)
        try:
            headers = {"Accept": "text/html", "Authorization": f"Bearer {self._where.token}"}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return response.status == 200

    def _harm(self) -> None:
        url = f"{self._where.url}/sql?query={quote(_ENDLESS)}"
        command = [sys.executable, "-c", _FOREVER, url, f"Bearer {self._where.token}"]
        while not self._ended.is_set():
            harm = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 -- of ours
            self._ended.wait(_HOSTILE_SECONDS)
            harm.kill()
            harm.wait()


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    database = parser.parse_args().database
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while (where := announced(database)) is None:
        time.sleep(0.05)
    readers = _Readers(where)
    readers.start()
    try:
        while True:
            time.sleep(_TOLD_SECONDS)
            told = {"answers": readers.answers, "refusals": readers.refusals}
            print(json.dumps({**told, "slowest_ms": readers.slowest_ms}), flush=True)
    except KeyboardInterrupt:
        readers.stop()


if __name__ == "__main__":
    main()

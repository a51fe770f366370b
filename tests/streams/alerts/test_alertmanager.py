"""A real Alertmanager has an alert for each standing flag, and none for a cleared one."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.alerts.settings import Receiver
from tests.lineage.events.builders import at, declared, hop, message, policy
from tests.streams.alerts.receiver import Bench, until

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
VENDOR = declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme")
CLEARED = declared("e", "vendor", kind="SINK", party="FIRST", declared_at=at(5))
START_SECONDS_MAX = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None,
        reason="needs Alertmanager (Debian: prometheus-alertmanager)",
    ),
]


class Alertmanager:
    """An Alertmanager that can be stopped and started anew, without what it knew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "config.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")

    def start(self) -> None:
        self._number += 1
        assert PROGRAM is not None
        command = [
            PROGRAM, f"--config.file={self._folder / 'config.yml'}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{self._port}",
            f"--storage.path={self._folder / str(self._number)}",
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.alerts()
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that fire."""
        address = f"{self.url}/api/v2/alerts?active=true"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 -- of ours
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def messages(self) -> set[str]:
        return {alert["labels"]["message_id"] for alert in self.alerts()}


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    found = Alertmanager(tmp_path)
    found.start()
    yield found
    found.stop()


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    bench = Bench(folder)
    yield bench
    bench.close()


def test_it_has_what_stands_also_after_it_was_away(
    alertmanager: Alertmanager, tmp_path: Path
) -> None:
    async def run(bench: Bench) -> None:
        receiver = Receiver("am", "alertmanager", alertmanager.url, ("CRITICAL",))
        await bench.apply(VENDOR, message("m0"), hop("h0", "inbox", "vendor", ["m0"]))
        async with bench.telling(receiver, console="https://c.example"):
            await until(lambda: alertmanager.messages() == {"m0"})  # it stood before
            await bench.apply(message("m1"), hop("h1", "inbox", "vendor", ["m1"]))
            await until(lambda: alertmanager.messages() == {"m0", "m1"})
            await asyncio.sleep(1)  # further rounds of what stands
            assert len(alertmanager.alerts()) == 2
            alertmanager.stop()
            await bench.apply(message("m2"), hop("h2", "inbox", "vendor", ["m2"]))
            await asyncio.sleep(0.5)
            alertmanager.start()
            await until(lambda: alertmanager.messages() == {"m0", "m1", "m2"})
            alert = alertmanager.alerts()[0]
            assert alert["labels"]["severity"] == "critical"
            assert alert["annotations"]["recipient"] == "Acme"
            assert alert["generatorURL"].startswith("https://c.example/message/m")
            await bench.apply(CLEARED)
            await until(lambda: not alertmanager.alerts())
            await asyncio.sleep(1)
            assert not alertmanager.alerts()

    with bench_in(tmp_path) as bench:
        asyncio.run(asyncio.wait_for(run(bench), 90))


def test_a_flag_of_another_severity_is_one_alert(
    alertmanager: Alertmanager, tmp_path: Path
) -> None:
    strict = policy("p1", [("leak", "CRITICAL", "confidential")], effective_at=at(1))
    mild = policy("p2", [("leak", "LOW", "confidential")], effective_at=at(5))

    async def run(bench: Bench) -> None:
        receiver = Receiver("am", "alertmanager", alertmanager.url)
        async with bench.telling(receiver):
            await bench.apply(strict, message("m", sent_at=at(9)))
            await until(alertmanager.alerts)
            assert severities(alertmanager) == ["critical"]
            await bench.apply(mild)
            await until(lambda: severities(alertmanager) == ["low"])

    with bench_in(tmp_path) as bench:
        asyncio.run(asyncio.wait_for(run(bench), 60))


def severities(alertmanager: Alertmanager) -> list[str]:
    return [alert["labels"]["severity"] for alert in alertmanager.alerts()]

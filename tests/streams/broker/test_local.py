"""A local broker: starts, answers, keeps its data, ends, and says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.broker import LocalBroker, find_java, find_maven, kafka_jars
from streams.errors import (
    BrokerDiedError,
    FolderInUseError,
    JavaError,
    MavenError,
    PortTakenError,
)
from streams.kafka.admin import admin_client
from streams.kafka.topics.topics import create_topics, topic_partitions
from tests.streams.kafka_helpers import jvm_of

COMMAND = """
import sys
from streams.broker import run_broker
run_broker(sys.argv[1], int(sys.argv[2]), on_ready=lambda at: print(at, flush=True))
"""


@contextmanager
def broker_command(folder: Path, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", COMMAND, str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.kafka
@pytest.mark.usefixtures("local_broker_possible")
class TestOnRealKafka:
    def test_data_is_kept_between_starts_and_ports(self, tmp_path: Path) -> None:
        with LocalBroker(tmp_path / "kafka") as broker:
            create_topics(broker.bootstrap, 3)
            first = broker.bootstrap
        with pytest.raises(BrokerDiedError):
            broker.check()
        with LocalBroker(tmp_path / "kafka") as broker:
            assert broker.bootstrap != first
            assert set(topic_partitions(broker.bootstrap, ["lineage.records.moved.v1"])) == {
                "lineage.records.moved.v1"
            }

    def test_it_listens_on_loopback_only_and_on_the_port_asked_for(self, tmp_path: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with LocalBroker(tmp_path, port) as broker:
            assert broker.bootstrap == f"127.0.0.1:{port}"
            settings = (tmp_path / "server.properties").read_text()
            listeners = next(x for x in settings.splitlines() if x.startswith("listeners="))
            assert all("//127.0.0.1:" in one for one in listeners.split(","))

    def test_an_unknown_topic_is_not_made_by_looking_at_it(self, tmp_path: Path) -> None:
        with LocalBroker(tmp_path) as broker, admin_client(broker.bootstrap) as admin:
            admin.describe_topics(["misspelt"])
            assert "misspelt" not in admin.list_topics()

    def test_one_broker_on_a_folder(self, tmp_path: Path) -> None:
        with LocalBroker(tmp_path) as broker:
            with pytest.raises(FolderInUseError, match=str(broker.pid)):
                LocalBroker(tmp_path).start()
            broker.check()

    def test_a_port_that_is_taken_is_named(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(PortTakenError, match=str(port)):
                LocalBroker(tmp_path, port).start()

    def test_a_broker_that_dies_is_told_with_its_log(self, tmp_path: Path) -> None:
        with LocalBroker(tmp_path) as broker:
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGKILL)
            time.sleep(0.5)
            with pytest.raises(BrokerDiedError, match=r"broker\.log"):
                broker.check()

    def test_a_folder_with_foreign_settings_is_told_with_its_log(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        data.mkdir()
        (data / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
        with pytest.raises(BrokerDiedError, match=r"broker\.log"):
            LocalBroker(tmp_path).start()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_command_prints_its_address_and_ends_on_a_signal(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        with broker_command(tmp_path) as command:
            address = ready(command)
            pid = int((tmp_path / "broker.pid").read_text())
            with admin_client(address):
                pass
            command.send_signal(number)
            assert command.wait(20) == 0
            assert not jvm_of(pid)

    def test_the_command_ends_on_a_signal_that_comes_early(self, tmp_path: Path) -> None:
        with broker_command(tmp_path) as command:
            while not (tmp_path / "broker.pid").exists():
                time.sleep(0.05)
            command.send_signal(signal.SIGTERM)
            assert command.wait(20) == 0
            assert ready(command) == ""

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")
    def test_no_broker_outlives_a_command_that_is_killed(self, tmp_path: Path) -> None:
        with broker_command(tmp_path) as command:
            ready(command)
            pid = int((tmp_path / "broker.pid").read_text())
            command.kill()
            deadline = time.monotonic() + 15
            while jvm_of(pid) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert not jvm_of(pid)
        with LocalBroker(tmp_path):
            pass


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class TestWhatIsMissing:
    def test_no_java(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(JavaError, match="Java 17 or later"):
            find_java()

    def test_java_home_goes_before_the_path(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        executable(tmp_path / "bin" / "java", """echo 'openjdk version "21.0.2"' >&2""")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        assert find_java() == tmp_path / "bin" / "java"

    @pytest.mark.parametrize(("version", "major"), [("1.8.0_412", 8), ("11.0.2", 11)])
    def test_java_too_old(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, major: int
    ) -> None:
        executable(tmp_path / "bin" / "java", f"""echo 'openjdk version "{version}"' >&2""")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        with pytest.raises(JavaError, match=f"is Java {major};.*Java 17 or later"):
            find_java()

    def test_no_maven(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(MavenError, match="no mvn"):
            find_maven()

    def test_a_download_that_fails_leaves_nothing_behind(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        executable(tmp_path / "bin" / "mvn", "echo '[ERROR] no such host'; exit 1")
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        cache = tmp_path / "cache"
        with pytest.raises(MavenError, match="no such host"):
            kafka_jars(cache)
        assert list(cache.iterdir()) == []

"""Runs a single-node Apache Kafka in a folder, as a child of this process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from string import Template
from types import TracebackType

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.broker.java import find_java, kafka_jars
from streams.broker.lock import FolderLock
from streams.errors import BrokerDiedError, BrokerError, PortTakenError

__all__ = ["LocalBroker"]

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 15.0
_HERE = Path(__file__).parent
# A serial collector, and the first compiler only: a broker for one machine should start fast and
# stay small, and the second compiler takes six seconds of processor in the first minute.
_JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


class LocalBroker:
    """A single-node Apache Kafka on loopback, its data kept in `folder` between starts.

    `port` 0 means any free one. Use it as a context manager, or call `start` and `stop`.
    Only one broker at a time can run on a folder. Where the system can do it (Linux), the
    broker ends with the process that started it, even if that one is killed. `properties` are
    further lines of server.properties, which go before its own, and may name $port and
    $controller_port.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        port: int = 0,
        properties: str = "",
    ) -> None:
        self._properties = properties
        self.folder = Path(folder).absolute()
        self.port = port
        self.log = self.folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(self.folder)

    @property
    def bootstrap(self) -> str:
        """HOST:PORT for clients; the port is known once `start` has returned."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process id, None while it does not run."""
        return self._process.pid if self._process else None

    def __enter__(self) -> LocalBroker:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, should_stop: Callable[[], bool] = lambda: False) -> LocalBroker:
        """Start the broker and return once it answers, or once `should_stop` says so.

        Raises JavaError, MavenError, PortTakenError, FolderInUseError, BrokerDiedError, and
        BrokerError where the folder cannot be used. Leaves nothing running where it raises.
        """
        java, jars = find_java(), kafka_jars()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerError(f"{self.folder} is not a folder that can be used: {error}") from error
        self._lock.acquire()
        try:
            self.port = _port(self.port)
            cluster_id = self._configure(java, jars)
            self._launch(java, jars)
            self._wait_until_ready(cluster_id, should_stop)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the broker, within STOP_SECONDS_MAX; one that does not run is left as it is."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._lock.release()

    def check(self) -> None:
        """Raise BrokerDiedError unless the broker runs."""
        if self._process is None:
            raise BrokerDiedError(f"the local broker in {self.folder} is not running")
        code = self._process.poll()
        if code is not None:
            raise BrokerDiedError(self._died(f"ended with code {code}"))

    def _configure(self, java: Path, jars: Path) -> str:
        """Write the settings, format the data once, and return the cluster id in it."""
        data = self.folder / "data"
        # Of two lines for one setting, Kafka takes the last.
        template = Template((_HERE / "server.properties").read_text() + self._properties)
        # Java reads a backslash in a properties file as an escape.
        path = str(data).replace("\\", "/")
        controller_port = _free_port()
        while controller_port == self.port:
            controller_port = _free_port()
        text = template.substitute(port=self.port, controller_port=controller_port, data=path)
        settings = self._settings()
        settings.write_text(text)
        meta = data / "meta.properties"
        if not meta.exists():
            command = [
                str(java), *_JVM, *self._logging(), "-cp", f"{jars}/*", "kafka.tools.StorageTool",
                "format", "--cluster-id", _new_cluster_id(), "--config", str(settings),
            ]  # fmt: skip
            with self._out().open("wb") as out:
                done = subprocess.run(  # noqa: S603 - java and jars that we resolved ourselves
                    command, stdout=out, stderr=out, check=False, timeout=READY_SECONDS_MAX
                )
            if done.returncode != 0:
                raise BrokerDiedError(self._died("could not format its folder"))
        known = dict(line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line)
        return known["cluster.id"]

    def _launch(self, java: Path, jars: Path) -> None:
        command = [
            str(java), *_JVM, *self._logging(), "-cp", f"{jars}/*", "kafka.Kafka",
            str(self._settings()),
        ]  # fmt: skip
        with self._out().open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - java and jars that we resolved
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # Ctrl-C in the terminal is for the command, which then ends the broker itself.
                start_new_session=True,
                pass_fds=self._lock.descriptors(),
                preexec_fn=_end_with_parent(),
            )
        self._lock.write(self._process.pid)

    def _wait_until_ready(self, cluster_id: str, should_stop: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not should_stop():
            self.check()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                if _cluster_id(self.bootstrap) == cluster_id:
                    return
                # The folder's cluster id is its own: whoever else answers is not our broker.
                raise PortTakenError(f"another broker listens on {self.bootstrap}")
            if time.monotonic() > deadline:
                raise BrokerDiedError(self._died(f"not ready after {READY_SECONDS_MAX:.0f} s"))
            time.sleep(0.1)

    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def _out(self) -> Path:
        return self.folder / "broker.out"

    def _logging(self) -> list[str]:
        config = (_HERE / "log4j2.xml").as_uri()
        return [f"-Dlog4j2.configurationFile={config}", f"-Dlineage.log={self.log}"]

    def _died(self, what: str) -> str:
        texts = [p.read_text(errors="replace") for p in (self._out(), self.log) if p.exists()]
        lines = [line for text in texts for line in text.splitlines()]
        telling = [line for line in lines if " ERROR " in line or "Exception" in line]
        said = f": {telling[-1].strip()[:300]}" if telling else ""
        return f"the local broker {what}{said} (log: {self.log})"


def _port(wanted: int) -> int:
    if wanted == 0:
        return _free_port()
    try:
        with socket.socket() as probe:
            # Connections of a broker that has just ended must not count as "taken".
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
    except (OSError, OverflowError) as error:
        raise PortTakenError(
            f"port {wanted} on 127.0.0.1 cannot be used ({error}); "
            "give another one, or 0 for any that is free"
        ) from error
    return wanted


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _new_cluster_id() -> str:
    # Kafka's spelling of a UUID; one that starts with a dash would read as an option.
    while True:
        text = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _cluster_id(bootstrap: str) -> str:
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=5000)
        try:
            return str(admin.describe_cluster()["cluster_id"])
        finally:
            admin.close()
    except KafkaError as error:
        raise OSError(str(error)) from error


def _end_with_parent() -> Callable[[], None] | None:
    """Return the function that a child calls before it becomes Java, to end with this process."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()
    set_death_signal = 1  # PR_SET_PDEATHSIG

    def ask() -> None:
        prctl(set_death_signal, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before we could ask
            os._exit(1)

    return ask

"""A Kafka in a container, for machines with a Docker engine but without Java and Maven."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from streams.errors import BrokerUnavailableError
from streams.kafka.admin import admin_client

_COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
_START_SECONDS_MAX = 120.0


def why_no_engine() -> str | None:
    """Why no container can be started here; None if one can."""
    docker = shutil.which("docker")
    if docker is None:
        return "docker is not installed"
    answer = subprocess.run([docker, "info"], capture_output=True, check=False)
    return None if answer.returncode == 0 else "no Docker engine answers"


def run_command(port: int) -> list[str]:
    """The command that starts the image of docker-compose.yml as a single node on loopback."""
    image = yaml.safe_load(_COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]["image"]
    environment = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    set_them = [part for k, v in environment.items() for part in ("--env", f"KAFKA_{k}={v}")]
    publish = ["--publish", f"127.0.0.1:{port}:{port}"]
    return ["docker", "run", "--rm", "--detach", *publish, *set_them, image]


@contextmanager
def docker_broker() -> Iterator[str]:
    """HOST:PORT of a Kafka in a container, which is removed afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = subprocess.run(run_command(port), capture_output=True, text=True, check=True)
    container = started.stdout.strip()
    try:
        _wait_for(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)  # noqa: S607 -- found on the PATH by why_no_engine


def _wait_for(bootstrap: str) -> None:
    until = time.monotonic() + _START_SECONDS_MAX
    while not _answers(bootstrap):
        if time.monotonic() > until:
            raise TimeoutError(f"the Kafka in the container did not answer at {bootstrap}")
        time.sleep(1)


def _answers(bootstrap: str) -> bool:
    try:
        with admin_client(bootstrap) as admin:
            admin.list_topics()
    except BrokerUnavailableError:
        return False
    return True

"""docker-compose.yml and Dockerfile, as far as they can be checked without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from streams.cli import cli
from streams.errors import WorkerError
from streams.worker.configuration.settings import Settings
from tests.streams.docker_kafka import run_command

ROOT = Path(__file__).parent.parent


@pytest.fixture
def compose() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_images_are_pinned_to_a_version(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    for image in images + base:
        assert re.search(r":v?\d+\.\d+\.\d+", image), image


def test_every_service_has_a_health_check(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"][0] == "CMD", name


def test_the_worker_waits_for_a_healthy_broker(compose: dict[str, Any]) -> None:
    assert compose["services"]["worker"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"}
    }


def test_the_database_is_on_a_volume(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]
    folder = Path(worker["environment"]["LINEAGE_DB"]).parent
    assert f"lineage:{folder}" in worker["volumes"]
    assert "lineage" in compose["volumes"]


def test_the_worker_reads_the_environment_that_it_is_given(compose: dict[str, Any]) -> None:
    environment = compose["services"]["worker"]["environment"]
    settings = Settings.from_environment(environment)
    assert (settings.bootstrap, settings.db) == ("kafka:9092", "/data/lineage.duckdb")
    assert settings.memory_mib == 320
    assert Settings.from_environment({"LINEAGE_MEMORY": "300"}).memory_mib == 300
    with pytest.raises(WorkerError, match="LINEAGE_MEMORY must be a whole number of MiB"):
        Settings.from_environment({"LINEAGE_MEMORY": "much"})
    listeners = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"//{settings.bootstrap}," in listeners


def test_the_container_runs_a_command_that_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (found,) = re.findall(r"^CMD (\[.*\])", text, re.M)
    arguments = yaml.safe_load(found)
    result = CliRunner().invoke(cli, [arguments[0], "--help"])
    assert result.exit_code == 0
    assert all(option in result.output for option in arguments if option.startswith("--"))


def test_everything_that_the_package_is_built_from_is_copied() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = set(" ".join(re.findall(r"^COPY (.*) \S+$", text, re.M)).split())
    assert {"pyproject.toml", "README.md", "LICENSE", "schemas", "lineage", "streams"} <= copied


def test_the_tests_use_the_same_image_where_they_need_a_container(compose: dict[str, Any]) -> None:
    command = run_command(12345)
    assert command[-1] == compose["services"]["kafka"]["image"]
    assert "127.0.0.1:12345:12345" in command

"""`doctor`: what is missing, and what it is needed for."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from lineage.codec import FLAG_RAISED, INPUTS, LocalIds
from tests.registry_service import RegistryService
from tests.streams.cli.runner import run

CLOSED = "127.0.0.1:1"


def test_says_of_every_required_package_whether_it_is_there() -> None:
    ran = run("doctor", "--json", env={"LINEAGE_BOOTSTRAP": "", "LINEAGE_REGISTRY_URL": ""})
    assert ran.code == 0
    found = {row["what"]: row for row in ran.rows}
    for name in ("duckdb", "click", "polars", "faust-streaming"):
        assert found[name]["found"] == metadata.version(name)
        assert found[name]["status"] == "ok"
    assert {"python", "java", "maven", "docker", "event schemas"} <= found.keys()
    assert all(row["needed_for"] for row in ran.rows)
    assert "broker" not in found


def test_a_package_that_is_missing_or_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        metadata,
        "requires",
        lambda _: ["duckdb>=99", "no-such-package>=1", "pytest>=99; extra == 'dev'"],
    )
    ran = run("doctor", "--json")
    assert ran.code == 3
    found = {row["what"]: row for row in ran.rows}
    assert (found["duckdb"]["status"], found["duckdb"]["problem"]) == ("MISSING", "needs >=99")
    assert found["no-such-package"]["problem"] == "not installed; needs >=1"
    assert "pytest" not in found


def test_what_is_optional_may_be_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ran = run("doctor", "--json", env={"LINEAGE_BOOTSTRAP": ""})
    assert ran.code == 0
    found = {row["what"]: row for row in ran.rows}
    assert [found[name]["status"] for name in ("java", "maven", "docker")] == ["absent"] * 3
    assert found["java"]["needed_for"] == "lineage broker"


@pytest.mark.slow
def test_a_broker_or_registry_that_is_named_must_answer() -> None:
    env = {"LINEAGE_BOOTSTRAP": CLOSED, "LINEAGE_REGISTRY_URL": f"http://{CLOSED}"}
    ran = run("doctor", env=env)
    assert ran.code == 3
    lines = [line for line in ran.out.splitlines() if line.startswith("MISSING")]
    assert [line.split()[1] for line in lines] == ["broker", "schema"]
    assert CLOSED in lines[0]
    ran = run("doctor", "--registry-url", "file:///etc/passwd", env={"LINEAGE_BOOTSTRAP": ""})
    assert ran.code == 3
    assert "http" in ran.out


def registry_row(url: str, code: int = 0) -> dict[str, Any]:
    ran = run("doctor", "--registry-url", url, "--json", env={"LINEAGE_BOOTSTRAP": ""})
    assert ran.code == code
    assert ran.rows[-1]["what"] == "schema registry"
    return ran.rows[-1]


def test_a_registry_that_answers_is_ok() -> None:
    with RegistryService(first_id=100) as service:
        row = registry_row(service.url)
        assert (row["status"], row["found"]) == ("ok", f"{service.url}, 0 of 7 subjects")
        for event in INPUTS:
            service.register(event.subject, event.schema)
        assert registry_row(service.url)["found"] == f"{service.url}, 6 of 7 subjects"


def test_a_registry_with_other_schemas_under_our_ids_is_said() -> None:
    with RegistryService(first_id=1) as service:
        for event in sorted((*INPUTS, FLAG_RAISED), key=LocalIds().id_of):
            service.register(event.subject, event.schema)
        assert registry_row(service.url)["found"] == f"{service.url}, 7 of 7 subjects"
        service.schemas[2], service.schemas[4] = service.schemas[1], '"string"'
        found = registry_row(service.url)["found"]
        assert found == f"{service.url}, 7 of 7 subjects; another schema under our own id 2, 4"


@pytest.mark.parametrize("answered", [(404, b""), (500, b""), (200, b"hello"), None])
def test_what_is_wrong_with_a_registry_is_said_without_its_password(
    answered: tuple[int, bytes] | None,
) -> None:
    with RegistryService(credentials=("audituser", "pa55word")) as service:
        secret = f"http://audituser:pa55word@127.0.0.1:{service.port}?key=t0ken"
        assert registry_row(secret)["found"] == f"{service.url}, 0 of 7 subjects"
        assert "401 Unauthorized" in registry_row(service.url, 3)["problem"]
        if answered is not None:
            service.answers["/subjects"] = answered[0], {}, answered[1]
        else:
            secret = secret.replace(str(service.port), "1")
        row = registry_row(secret, 3)
    assert row["status"] == "MISSING"
    assert "http://127.0.0.1:" in row["problem"]
    assert not any(word in str(row) for word in ("audituser", "pa55word", "t0ken"))


@pytest.mark.parametrize(
    ("requirement", "found", "problem"),
    [
        ("duckdb==1.5.5", "1.5.5", None),
        ("duckdb==1.5.5", "1.5.6", "needs ==1.5.5"),
        ("click (>=8.1,<8.4)", "8.3.1", None),
        ("crc32c>=2.7", "2.9.post0", None),
        ("rfc8785>=0.1.4", "0.1.10", None),
        ("avro", "1.12", None),
    ],
)
def test_versions_are_compared_as_python_s_packages_are(
    monkeypatch: pytest.MonkeyPatch, requirement: str, found: str, problem: str | None
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: [requirement])
    monkeypatch.setattr(metadata, "version", lambda _: found)
    name = requirement.split("==")[0].split(">")[0].split(" ")[0]
    rows = {row["what"]: row for row in run("doctor", "--json").rows}
    assert rows[name]["problem"] == problem

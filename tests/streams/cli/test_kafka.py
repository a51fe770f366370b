"""`publish`, `worker` and `broker`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.worker.configuration.settings import Settings
from tests.registry_service import RegistryService
from tests.streams.cli.runner import EVENTS, FLAGS, listed, run, write_log

CLOSED = "127.0.0.1:1"
LINEAGE = [sys.executable, "-c", "from streams.cli import main; main()"]
NO_BROKER = {"LINEAGE_BOOTSTRAP": ""}
SECRETS = ("audituser", "pa55word", "t0ken")


@pytest.mark.parametrize("command", [["publish", "x.jsonl"], ["worker", "--db", "x"]], ids=" ".join)
def test_a_broker_must_be_named(command: list[str]) -> None:
    ran = run(*command, env=NO_BROKER)
    assert (ran.code, ran.out) == (2, "")
    assert "--bootstrap" in ran.err
    assert "LINEAGE_BOOTSTRAP" in ran.err


@pytest.mark.slow
def test_a_broker_that_does_not_answer_is_not_available(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    for command in (["publish", log], ["worker", "--db", path, "--once"]):
        ran = run(*command, env={"LINEAGE_BOOTSTRAP": CLOSED})
        assert (ran.code, ran.out) == (3, "")
        assert ran.err.startswith(f"Error: no Kafka broker at {CLOSED}")
        assert run(*command, "--bootstrap", "no address").code == 3
    assert not path.exists()


def test_publish_says_first_which_path_is_wrong(tmp_path: Path) -> None:
    ran = run("publish", tmp_path / "missing", "--bootstrap", CLOSED)
    assert (ran.code, ran.out) == (2, "")
    assert "missing" in ran.err
    assert run("publish", tmp_path, "--bootstrap", CLOSED, "--partitions", 0).code == 2


@pytest.mark.parametrize("answered", [(404, {}, b""), (500, {}, b""), (200, {}, b"hello"), None])
def test_publish_says_first_that_the_registry_fails_and_no_secret(
    log: Path, answered: tuple[int, dict[str, str], bytes] | None
) -> None:
    with RegistryService() as service:
        for subject in ("messaging.message.sent.v1", "messaging.consent.changed.v1"):
            if answered is not None:
                service.answers[f"/subjects/{subject}-value/versions"] = answered
        port = service.port if answered is not None else 1
        url = f"http://{SECRETS[0]}:{SECRETS[1]}@127.0.0.1:{port}?key={SECRETS[2]}"
        for ran in (
            run("publish", log, "--bootstrap", CLOSED, "--registry-url", url),
            run("publish", log, "--bootstrap", CLOSED, env={"LINEAGE_REGISTRY_URL": url}),
        ):
            assert (ran.code, ran.out) == (3, "")
            assert ran.err.startswith(f"Error: schema registry: http://127.0.0.1:{port}")
            assert str(answered[0] if answered and answered[0] != 200 else "") in ran.err
            assert not any(secret in ran.err for secret in SECRETS)


@pytest.mark.parametrize("command", ["worker", "publish", "doctor"])
def test_a_registry_url_is_never_shown(command: str, log: Path, tmp_path: Path) -> None:
    arguments: dict[str, list[object]] = {
        "worker": ["--db", tmp_path / "new.duckdb", "--bootstrap", CLOSED],
        "publish": [log, "--bootstrap", CLOSED],
        "doctor": [],
    }
    user, password, token = SECRETS
    for url in (f"{user}:{password}@host?{token}", f"http://{user}:{password}@host:{token}"):
        env = {"LINEAGE_REGISTRY_URL": url, "LINEAGE_BOOTSTRAP": ""}
        ran = run(command, *arguments[command], env=env)
        assert ran.code == 3
        assert "must begin with http:// or https://" in " ".join((ran.out + ran.err).split())
        shown = run(command, "--help", env=env)
        assert "LINEAGE_REGISTRY_URL" in shown.out
        for text in (ran.out, ran.err, shown.out):
            assert not any(secret in text for secret in SECRETS)


def test_settings_do_not_show_it_either() -> None:
    settings = Settings("db", CLOSED, registry_url=f"http://{SECRETS[0]}:{SECRETS[1]}@host")
    assert not any(secret in repr(settings) for secret in SECRETS)


@pytest.mark.slow
def test_faust_s_own_command_does_not_show_it_either() -> None:
    env = {**os.environ, "LINEAGE_REGISTRY_URL": f"{SECRETS[0]}:{SECRETS[1]}@host:{SECRETS[2]}"}
    ended = subprocess.run(
        [sys.executable, "-c", "import streams.app"],
        capture_output=True, text=True, timeout=120, check=False, env=env,
    )  # fmt: skip
    assert ended.returncode != 0
    assert ended.stderr.startswith("Error: schema registry: the URL must begin with http")
    assert ended.stderr.count("\n") == 1
    assert not any(secret in ended.stderr for secret in SECRETS)


def test_broker_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ran = run("broker", "--dir", tmp_path / "kafka")
    assert (ran.code, ran.out) == (3, "")
    assert "Java" in ran.err
    (tmp_path / "file").touch()
    assert run("broker", "--dir", tmp_path / "file").code == 2
    assert run("broker", "--port", 65536).code == 2


@pytest.mark.kafka
def test_what_is_published_and_worked_off_is_what_is_replayed(
    no_topics: str, log: Path, tmp_path: Path
) -> None:
    bad = write_log(tmp_path / "bad.jsonl", [{"event": "Nonsense"}])
    ran = run("publish", log, bad, "--bootstrap", no_topics, "--partitions", 2, "--json")
    assert ran.code == 0, ran.err
    (sent,) = ran.rows
    assert sum(sent["events"].values()) == len(EVENTS)
    assert sent["dead_letters"] == 1
    again = run("publish", log, "--bootstrap", no_topics, "--partitions", 3)
    assert again.code == 0
    assert "exists with 2 partitions, not 3" in again.err

    live, replayed = tmp_path / "live.duckdb", tmp_path / "replayed.duckdb"
    worker = subprocess.run(
        [*LINEAGE, "worker", "--once", "--db", str(live), "--bootstrap", no_topics],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr
    assert ["events", "10"] in [line.split() for line in worker.stdout.splitlines()]
    assert run("replay", log, "--db", replayed).code == 0
    assert run("digest", "--db", live).out == run("digest", "--db", replayed).out
    assert run("flags", "--db", live, "--json").rows == [listed(row) for row in FLAGS]
    assert run("doctor", "--bootstrap", no_topics).code == 0


@pytest.mark.kafka
def test_publish_and_worker_use_the_same_registry(
    no_topics: str, log: Path, tmp_path: Path
) -> None:
    """With ids of its own: one that knows them as something else would make dead letters."""
    live, replayed = tmp_path / "live.duckdb", tmp_path / "replayed.duckdb"
    user, password, token = SECRETS
    with RegistryService(first_id=3, credentials=(user, password)) as service:
        url = f"http://{user}:{password}@127.0.0.1:{service.port}?key={token}"
        env = {**os.environ, "LINEAGE_REGISTRY_URL": url, "LINEAGE_BOOTSTRAP": no_topics}
        for command in (["publish", str(log)], ["worker", "--once", "--db", str(live)]):
            ended = subprocess.run(
                [*LINEAGE, *command],
                capture_output=True, text=True, timeout=120, check=False, env=env,
            )  # fmt: skip
            assert ended.returncode == 0, ended.stderr
            assert not any(secret in ended.stdout + ended.stderr for secret in SECRETS)
        assert "/subjects/lineage.flag.raised.v1-value/versions" in {
            path.partition("?")[0] for path in service.asked
        }
    assert run("replay", log, "--db", replayed).code == 0
    assert run("digest", "--db", live).out == run("digest", "--db", replayed).out
    count = ["sql", "FROM dead_letter SELECT count(*) AS letters", "--db", live, "--json"]
    assert run(*count).rows == [{"letters": 0}]


@pytest.mark.kafka
@pytest.mark.usefixtures("local_broker_possible")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_broker_tells_its_address_and_ends_on_a_signal(tmp_path: Path, ending: int) -> None:
    process = subprocess.Popen(
        [*LINEAGE, "broker", "--dir", str(tmp_path / "kafka")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert run("doctor", "--bootstrap", address).code == 0
        process.send_signal(ending)
        out, err = process.communicate(timeout=40)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, ""), err

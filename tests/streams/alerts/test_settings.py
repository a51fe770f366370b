"""The file that says who is told of flags: what it may hold, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.alerts.settings import AlertSettings
from streams.errors import WorkerError

GOOD = """
console: https://lineage.example.com/
receivers:
  - {name: on-call, alertmanager: "http://user:secret@127.0.0.1:9093", severity: HIGH}
  - name: log
    webhook: https://hooks.example.com/x?key=secret
    token_file: token
    since: beginning
"""


def read(tmp_path: Path, text: str) -> AlertSettings:
    (tmp_path / "alerts.yaml").write_text(text)
    return AlertSettings.read(tmp_path / "alerts.yaml")


def test_receivers_are_read_and_their_secrets_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    found = read(tmp_path, GOOD)
    on_call, log = found.receivers
    assert found.console == "https://lineage.example.com"
    assert (on_call.kind, on_call.severities) == ("alertmanager", ("HIGH", "CRITICAL"))
    assert (log.kind, log.token, log.from_beginning) == ("webhook", "secret", True)
    assert log.severities == ("LOW", "MEDIUM", "HIGH", "CRITICAL")
    assert "secret" not in f"{found} {on_call.shown} {log.shown}"
    assert on_call.shown == "on-call (127.0.0.1)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "must have `receivers`"),
        ("receivers: []", "a list of at least one"),
        ("receivers: [{name: a}]", "receiver 1: needs `alertmanager` or `webhook`"),
        ("receivers: [{name: a b, webhook: http://h}]", "receiver 1: needs a `name`"),
        ("receivers: [{name: a, webhook: 'file:///etc/passwd'}]", "needs `alertmanager` or"),
        ("receivers: [{name: a, webhook: http://h, alertmanager: http://h}]", "needs `alertm"),
        ("receivers: [{name: a, webhook: http://h, sevrity: LOW}]", "must be an object with"),
        ("receivers: [{name: a, webhook: http://h, severity: high}]", "LOW, MEDIUM, HIGH"),
        ("receivers: [{name: a, webhook: http://h, since: ever}]", "`since` must be now or"),
        ("receivers: [{name: a, webhook: http://h, token_file: none}]", "cannot be read"),
        ("receivers: [{name: a, webhook: http://h}, {name: a, webhook: http://i}]", "one name"),
        ("console: 7\nreceivers: [{name: a, webhook: http://h}]", "`console` must be a URL"),
        ("receivers: [", "is no YAML"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WorkerError, match=r"alerts\.yaml") as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="No such file"):
        AlertSettings.read(tmp_path / "none.yaml")

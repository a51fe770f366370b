"""Settings of the SDK, from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..errors import SettingsError

_SCHEMES = ("file", "http", "https", "kafka")
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """Settings of one process.

    Attributes:
        job: The name of the job, where `hop` and `run` are not given another.
        emit: Where events go, an address such as kafka://HOST:PORT; None: nowhere.
        disabled: Nothing is done at all.
        strict: A wrong event raises EventError where it is made.
        spool: The folder for what is not sent yet.
        spool_bytes_max: So much of it, for all processes that share it.
        buffer_bytes_max: So much in memory, where the folder takes nothing.
        flush_seconds: So long the end of the process waits for events to be sent.
        token: Sent to an HTTP address as `Authorization: Bearer`.
        kafka: Settings of the Kafka client by librdkafka's names.
    """

    job: str
    emit: str | None = None
    disabled: bool = False
    strict: bool = False
    spool: Path = Path("spool")
    spool_bytes_max: int = 256 << 20
    buffer_bytes_max: int = 16 << 20
    flush_seconds: float = 3.0
    token: str | None = None
    kafka: tuple[tuple[str, str], ...] = ()

    @property
    def destination(self) -> str:
        """Return the name of the folder in the spool for what goes to this address."""
        from hashlib import sha256  # not when the SDK is imported: it loads OpenSSL

        return sha256((self.emit or "").encode()).hexdigest()[:16]


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that the environment makes. Raises SettingsError, naming the variable."""
    env = os.environ if environment is None else environment
    emit = env.get("LINEAGE_EMIT") or None
    if emit is not None:
        check_address(emit)
    return Settings(
        job=env.get("LINEAGE_JOB") or default_job(),
        emit=emit,
        disabled=_flag(env, "LINEAGE_DISABLED"),
        strict=_flag(env, "LINEAGE_STRICT"),
        spool=Path(env.get("LINEAGE_SPOOL") or _default_spool(env)),
        spool_bytes_max=int(_number(env, "LINEAGE_SPOOL_MIB", 256) * (1 << 20)),
        flush_seconds=_number(env, "LINEAGE_FLUSH_SECONDS", 3),
        token=env.get("LINEAGE_TOKEN") or None,
        kafka=_kafka(env),
    )


def default_job() -> str:
    """Return the name of the program that runs."""
    return Path(sys.argv[0]).stem if sys.argv and sys.argv[0] else "python"


def check_address(emit: str) -> None:
    """Raise SettingsError where events cannot go to such an address."""
    try:
        parts = urlsplit(emit)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    where = parts.path if parts.scheme == "file" else host
    if parts.scheme not in _SCHEMES or not where:
        raise SettingsError(
            "LINEAGE_EMIT must be kafka://HOST:PORT, file:///FOLDER, http://HOST/PATH or "
            "https://HOST/PATH; nothing is reported now"
        )


def topic_prefix(emit: str) -> str:
    """Return what comes before the names of the topics: ?topic_prefix=… of the address."""
    return parse_qs(urlsplit(emit).query).get("topic_prefix", [""])[-1]


def _default_spool(env: Mapping[str, str]) -> Path:
    state = env.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(state).expanduser() / "message-lineage" / "spool"
    except RuntimeError:  # a user without a home, as containers have
        return Path(os.sep) / "var" / "tmp" / "message-lineage" / "spool"


def _flag(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "").strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise SettingsError(f"{name} must be 1 or 0")


def _number(env: Mapping[str, str], name: str, otherwise: float) -> float:
    text = env.get(name) or ""
    try:
        found = float(text) if text else otherwise
    except ValueError:
        found = -1
    if not 0 <= found < 1e9:
        raise SettingsError(f"{name} must be a number, 0 or more")
    return found


def _kafka(env: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return settings as the tracker's worker takes them: of a file, or variables, which win."""
    found: dict[str, str] = {}
    file = env.get("LINEAGE_KAFKA_CONFIG")
    if file:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"LINEAGE_KAFKA_CONFIG: {file} can't be read") from error
        for line in map(str.strip, lines):
            name, equals, value = line.partition("=")
            if equals and line[0] not in "#!":
                found[name.strip()] = value.strip()
    for name, value in env.items():
        if name.startswith("LINEAGE_KAFKA_") and name != "LINEAGE_KAFKA_CONFIG":
            found[name.removeprefix("LINEAGE_KAFKA_").lower().replace("_", ".")] = value
    return tuple(sorted(found.items()))

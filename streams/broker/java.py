"""Finds what a local broker needs of the machine: a Java, a Maven, and Apache Kafka's jars."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from streams.errors import JavaError, MavenError

__all__ = ["JAVA_MIN", "KAFKA_VERSION", "cache_folder", "find_java", "find_maven", "kafka_jars"]

KAFKA_VERSION = "4.3.1"
JAVA_MIN = 17
MAVEN_TIMEOUT_SECONDS = 600
_POM = Path(__file__).with_name("pom.xml")


def find_java() -> Path:
    """Return a `java` of at least JAVA_MIN: the one of JAVA_HOME, else the one on the PATH.

    Raises JavaError where there is none, or where it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if found is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise JavaError(f"no java {where}; a local broker needs Java {JAVA_MIN} or later")
    major = _java_major(found)
    if major < JAVA_MIN:
        raise JavaError(f"{found} is Java {major}; a local broker needs Java {JAVA_MIN} or later")
    return Path(found)


def _java_major(java: str) -> int:
    try:
        said = subprocess.run(  # noqa: S603 - the java that the user's own PATH names
            [java, "-version"], capture_output=True, text=True, timeout=60, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaError(f"{java} -version does not work ({type(error).__name__})") from error
    # `version "17.0.15"`, before Java 9 `version "1.8.0_412"`.
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    if match is None:
        raise JavaError(f"{java} -version names no version; Java {JAVA_MIN} or later is needed")
    return int(match[1])


def find_maven() -> Path:
    """Return the `mvn` on the PATH. Raises MavenError where there is none."""
    found = shutil.which("mvn")
    if found is None:
        raise MavenError(
            "no mvn on the PATH; Maven fetches Apache Kafka once, for the first local broker"
        )
    return Path(found)


def cache_folder() -> Path:
    """Return where this user's caches of this project lie: XDG_CACHE_HOME, else ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "message-lineage")


def kafka_jars(cache: Path | None = None) -> Path:
    """Return the folder with Apache Kafka's jars, fetched by Maven where it is not there yet.

    The folder's name carries the version and a digest of the pom, and it gets its name only
    when it is complete: a download that was killed is never taken for one that ended.
    Raises MavenError.
    """
    cache = cache or cache_folder()
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    jars = cache / f"kafka-{KAFKA_VERSION}-{digest}"
    if jars.is_dir():
        return jars
    maven = find_maven()
    cache.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{jars.name}.partial-", dir=cache))
    try:
        _fetch(maven, partial)
        try:
            partial.rename(jars)
        except OSError:
            if not jars.is_dir():  # else another process was faster; its jars are the same
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return jars


def _fetch(maven: Path, folder: Path) -> None:
    command = [
        str(maven), "--batch-mode", "--quiet", "--file", str(_POM),
        "dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own pom, the mvn that the user's PATH names
            command, capture_output=True, text=True, timeout=MAVEN_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MavenError(
            f"{maven} did not fetch Apache Kafka {KAFKA_VERSION} ({type(error).__name__})"
        ) from error
    if done.returncode != 0 or not any(folder.glob("kafka_*.jar")):
        lines = (done.stdout + done.stderr).splitlines()
        said = next((line for line in lines if "ERROR" in line), "it printed no error")
        raise MavenError(f"{maven} did not fetch Apache Kafka {KAFKA_VERSION}: {said[:300]}")

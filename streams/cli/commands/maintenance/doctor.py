"""`doctor`: reports missing requirements, and which command needs them."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.commands.maintenance.doctor_db import SEEDS, check_database
from streams.cli.errors import NOT_AVAILABLE
from streams.cli.output.stdout import write_rows

if TYPE_CHECKING:
    from streams.kafka.connection import KafkaConnection
    from streams.kafka.registry.client import HttpRegistry

PYTHON_MIN = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One requirement that was looked at.

    found: what is there, a version or place; empty if nothing. needed_for: what works only with
    it. required: whether nothing works without it. problem: empty if all is well with it. danger:
    whether it is there, and does harm as it is.
    """

    what: str
    found: str
    needed_for: str
    required: bool
    problem: str = ""
    danger: bool = False

    @property
    def status(self) -> str:
        """ok, MISSING (required), absent (optional) or WARNING (of danger)."""
        if not self.problem:
            return "ok"
        return "MISSING" if self.required else "WARNING" if self.danger else "absent"


@click.command()
@options.kafka_options
@click.option(
    "--db", type=click.Path(path_type=Path), metavar="FILE",
    help="Check this database instead: that it is whole, and what is derived follows.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="With --db: follow all messages again.")
@click.option(
    "--messages", type=click.IntRange(min=1), default=1_000, show_default=True, metavar="N",
    help="With --db: follow so many messages again.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, SEEDS - 1), metavar="N",
    help="With --db: choose the same messages as a run before; by default others each time.",
)  # fmt: skip
@options.as_json
def doctor(
    bootstrap: str | None,
    kafka_config: Path | None,
    topic_prefix: str,
    registry_url: str | None,
    db: Path | None,
    everything: bool,
    messages: int,
    seed: int | None,
    as_json: bool,
) -> None:
    """Say what is missing, and what it is needed for; or what is wrong with a database.

    Exits with 3 if something that is required is missing. A broker or registry that is named is
    required; Java, Maven and Docker are not.

    With --db it checks a database, and changes nothing: every block is read, every row belongs to
    an event that is there, and arrivals, flags, unmatched inputs and spans are what is derived anew
    from the events, of some messages or of all. Exits with 1 if it finds something, and with 3 if
    the database cannot be opened.
    """
    if db is not None:
        check_database(db, everything, messages, seed, as_json)
        return
    findings = [
        *_machine(),
        *_broker(bootstrap, kafka_config, topic_prefix),
        *_registry(registry_url),
    ]
    rows = [(f.status, f.what, f.found or None, f.needed_for, f.problem or None) for f in findings]
    columns = ("status", "what", "found", "needed_for", "problem")
    write_rows(columns, rows, "json" if as_json else "text")
    if any(f.required and f.problem for f in findings):
        raise click.exceptions.Exit(NOT_AVAILABLE)


def _machine() -> Iterator[Finding]:
    yield _python()
    yield from _packages()
    yield _schemas()
    yield _folder(Path.cwd(), "databases and logs given without a folder")
    yield from _local_broker()


def _python() -> Finding:
    old = sys.version_info < PYTHON_MIN
    wanted = ".".join(map(str, PYTHON_MIN))
    problem = f"needs Python {wanted} or later" if old else ""
    return Finding("python", platform.python_version(), "everything", True, problem)


def _packages() -> Iterator[Finding]:
    """Yield the packages that this one requires; versions by the metadata of its installation."""
    from importlib import metadata

    from packaging.requirements import Requirement

    try:
        required = metadata.requires("message-lineage") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "message-lineage",
            "",
            "everything",
            True,
            "not installed; `pip install .` in its folder",
        )
        return
    yield Finding("message-lineage", metadata.version("message-lineage"), "everything", True)
    for text in required:
        requirement = Requirement(text)
        # A requirement of an extra (pytest, say) is none of the package itself.
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name, wanted = requirement.name, str(requirement.specifier)
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, "", "everything", True, f"not installed; needs {wanted or 'any'}")
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        yield Finding(name, found, "everything", True, "" if fits else f"needs {wanted}")


def _schemas() -> Finding:
    try:
        from lineage import codec

        found = f"{len(codec.INPUTS)} event types"
    except Exception as error:
        problem = f"cannot be loaded ({type(error).__name__})"
        return Finding("event schemas", "", "everything", True, problem)
    return Finding("event schemas", found, "everything", True)


def _folder(folder: Path, needed_for: str) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Finding("folder", str(folder), needed_for, False, f"not writable: {error.strerror}")
    return Finding("folder", f"{folder}, {free_gb:.1f} GB free", needed_for, False)


def _local_broker() -> Iterator[Finding]:
    from streams.broker import find_java, find_maven
    from streams.errors import StreamsError

    def look(what: str, find: Callable[[], Path], needed_for: str) -> Finding:
        try:
            return Finding(what, str(find()), needed_for, False)
        except StreamsError as error:
            return Finding(what, "", needed_for, False, str(error))

    yield look("java", find_java, "lineage broker")
    yield look("maven", find_maven, "lineage broker, the first time")
    docker = shutil.which("docker") or ""
    problem = "" if docker else "not on the PATH"
    yield Finding("docker", docker, "only a broker of your own in a container", False, problem)


def _broker(bootstrap: str | None, file: Path | None, topic_prefix: str) -> Iterator[Finding]:
    from streams.errors import StreamsError
    from streams.kafka.settings.connection_settings import connection_from
    from streams.kafka.topics.topics import TOPICS, topic_partitions

    needed_for = "lineage worker, lineage publish"
    try:
        kafka = connection_from(bootstrap, file, topic_prefix)
        if kafka is None:
            return
        there = topic_partitions(kafka, kafka.topics(TOPICS))
        topics = _evidence(kafka, list(there))
    except StreamsError as error:
        yield Finding("broker", "", needed_for, True, str(error))
        return
    found = f"{kafka}, {kafka.security_protocol}, {len(there)} of {len(TOPICS)} topics"
    yield Finding("broker", found, needed_for, True)
    yield from topics


def _evidence(kafka: KafkaConnection, there: Collection[str]) -> list[Finding]:
    """Return a finding for each topic from which Kafka may delete evidence."""
    from streams.errors import TopicError
    from streams.kafka.admin import admin_client
    from streams.kafka.topics.retention import retention_of
    from streams.kafka.topics.topics import DEAD_LETTER_TOPIC, INPUT_TOPICS

    asked = [topic for topic in kafka.topics((*INPUT_TOPICS, DEAD_LETTER_TOPIC)) if topic in there]
    needed_for = "evidence that lasts"
    try:
        with admin_client(kafka) as admin:
            found = [one for one in retention_of(admin, asked) if one.deletes]
    except TopicError as error:  # not every user may ask for them
        return [Finding("topics", "", needed_for, False, str(error), danger=True)]
    return [Finding("topic", one.topic, needed_for, False, str(one), danger=True) for one in found]


def _registry(url: str | None) -> Iterator[Finding]:
    from lineage.codec import SchemasError
    from streams.kafka.limits import KAFKA_LIMITS
    from streams.kafka.registry.client import HttpRegistry, registry_from

    limits = replace(KAFKA_LIMITS, registry_step_seconds_max=5.0)  # a person waits for it
    needed_for = "--registry-url of lineage worker, lineage publish"
    try:
        address = registry_from(url)
        if address is None:
            return
        registry = HttpRegistry(address, limits=limits)
        found = f"{registry.address}, {_known_to(registry)}"
    except SchemasError as error:
        yield Finding("schema registry", "", needed_for, True, str(error))
        return
    yield Finding("schema registry", found, needed_for, True)


def _known_to(registry: HttpRegistry) -> str:
    """Count our subjects that it knows, and name our own ids that mean something else there."""
    from lineage.codec import FLAG_RAISED, INPUTS, LocalIds, UnknownSchemaError
    from streams.kafka.registry.schema_check import other_meaning

    events, ours, subjects = (*INPUTS, FLAG_RAISED), LocalIds(), registry.subjects()
    others = []
    for event in events:
        schema_id = ours.id_of(event)
        with suppress(UnknownSchemaError):
            if other_meaning(event, registry, schema_id) is not None:
                others.append(str(schema_id))
    known = sum(event.subject in subjects for event in events)
    elsewhere = f"; another schema under our own id {', '.join(others)}" if others else ""
    return f"{known} of {len(events)} subjects{elsewhere}"

"""`dlq`: lists dead letters, and sends them back to their topics after a fix."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.errors import Failure
from streams.cli.output.progress import progress
from streams.cli.output.stdout import Row, Style, style_of, write_json, write_rows
from streams.cli.reader import reader_of

if TYPE_CHECKING:
    from lineage.codec import DeadLetter
    from streams.kafka.connection import KafkaConnection
    from streams.kafka.registry.rest import Address

_EACH = "SELECT source, partition, position, reason, sha256, 1 FROM dead_letter ORDER BY ALL"
_COUNTED = "SELECT source, 0, 0, reason, '', count(*) FROM dead_letter GROUP BY ALL"
_NUMBER = re.compile(r"[0-9][0-9,]*")

reason_filter = click.option(
    "--reason", metavar="TEXT",
    help="Only those whose reason has this text, in any case; N stands for any number.",
)  # fmt: skip
source_filter = click.option(
    "--source", metavar="NAME", help="Only those that were read from this topic or file."
)


@click.group()
def dlq() -> None:
    """List dead letters, and read them again after a fix.

    What cannot be decoded, or breaks the contract, is a dead letter: a row of the table dead_letter
    and, from Kafka, a record on the dead-letter topic, with the original bytes, key and headers.
    """


@dataclass(frozen=True)
class _Listed:
    """A dead letter, or several of one reason, as the database or the topic has them."""

    letter: DeadLetter
    replayed_to: str | None = None
    count: int = 1


@dlq.command("list")
@click.option(
    "--db", type=click.Path(path_type=Path), metavar="FILE",
    help="Those of this database, and not of the topic. It does not know what was replayed.",
)  # fmt: skip
@options.broker_options
@reason_filter
@source_filter
@click.option("--each", is_flag=True, help="List each one, and do not count them.")
@options.fail_on_dead_letter
@options.limit
@options.as_csv
@options.as_json
def list_(
    db: Path | None,
    bootstrap: str | None,
    kafka_config: Path | None,
    topic_prefix: str,
    reason: str | None,
    source: str | None,
    each: bool,
    fail_on_dead_letter: bool,
    limit: int,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Count dead letters by where they were read and why they are dead, the most first.

    Reasons that differ in their numbers alone count together, with N for the numbers. The column
    replayed counts those that `dlq replay` has sent back: they were dead, and are no more.
    --fail-on-dead-letter looks at those that are listed and were not replayed.
    """
    style = style_of(as_json, as_csv)
    wanted = _selection(reason, source)
    dead = 0

    def noted() -> Iterator[_Listed]:
        nonlocal dead
        for one in _listed(db, each, bootstrap, kafka_config, topic_prefix):
            if wanted(one.letter):
                dead += one.count if one.replayed_to is None else 0
                yield one

    found = (_write_each if each else _write_groups)(noted(), style, limit, db is None)
    if not found and (reason or source):
        raise _nothing_wanted()
    if fail_on_dead_letter and dead:
        raise click.exceptions.Exit(1)


@dlq.command()
@options.kafka
@reason_filter
@source_filter
@click.option("--dry-run", is_flag=True, help="Send nothing, and tell what would be sent.")
@options.fail_on_dead_letter
@options.as_json
def replay(
    kafka: KafkaConnection,
    registry: Address | None,
    reason: str | None,
    source: str | None,
    dry_run: bool,
    fail_on_dead_letter: bool,
    as_json: bool,
) -> None:
    """Send dead letters back to the topics that they were read from, once they can be decoded.

    Each of the dead-letter topic is decoded first, as the worker decodes it, so give the same
    registry, if any. One that still fails stays where it is. What is sent has the original bytes,
    key and headers, and the worker records it like any other: a second replay, or one that was
    killed on the way, changes nothing. Those that `publish` read from a log are not sent: mend the
    log, and publish it again. --fail-on-dead-letter looks at those that are still dead.
    """
    from streams.worker.dead_letter_replay import replay_dead_letters

    wanted = _selection(reason, source)
    with progress("replay", None, "dead letters") as advance:
        done = replay_dead_letters(
            kafka,
            registry,
            lambda stored: wanted(stored.letter),
            advance,
            dry_run=dry_run,
        )
    dead = done.still_dead.total() + done.of_files + done.without_bytes
    if not (done.sent or done.replayed_before or dead) and (reason or source):
        raise _nothing_wanted()
    summary = {**vars(done), "still_dead": done.still_dead.total(), "dry_run": dry_run}
    reasons = _by_cause(done.still_dead)
    if as_json:
        by = [{"reason": reason, "letters": letters} for reason, letters in reasons]
        write_json({**summary, "still_dead_by_reason": by})
    else:
        write_rows(
            ("what", "value"), [(k.replace("_", " "), v) for k, v in summary.items()], "text"
        )
        if reasons:
            click.echo()
            write_rows(("still dead because", "letters"), reasons, "text")
    if fail_on_dead_letter and dead:
        raise click.exceptions.Exit(1)


def _listed(
    db: Path | None, each: bool, bootstrap: str | None, file: Path | None, topic_prefix: str
) -> Iterator[_Listed]:
    from streams.kafka.settings.connection_settings import connection_from

    if db is not None:
        return _of_database(db, each)
    kafka = connection_from(bootstrap, file, topic_prefix)
    if kafka is None:
        raise click.UsageError(
            "give --bootstrap (LINEAGE_BOOTSTRAP) for the dead letters of the topic, or --db for "
            "those of a database"
        )
    return _of_topic(kafka)


def _of_topic(kafka: KafkaConnection) -> Iterator[_Listed]:
    from streams.kafka.dead_letters.topic import stored_letters

    for stored in stored_letters(kafka):
        yield _Listed(stored.letter, stored.replayed_to)


def _of_database(db: Path, each: bool) -> Iterator[_Listed]:
    from lineage.codec import DeadLetter

    with reader_of(db) as store:
        found = store.sql(_EACH if each else _COUNTED)
        while rows := found.fetchmany(1_000):
            for *letter, count in rows:
                yield _Listed(DeadLetter(*letter), None, count)


def _selection(reason: str | None, source: str | None) -> Callable[[DeadLetter], bool]:
    """Return whether a dead letter is wanted."""
    text = (reason or "").casefold()

    def wanted(letter: DeadLetter) -> bool:
        reasons = (letter.reason, _cause(letter.reason))
        return (source is None or letter.source == source) and any(
            text in one.casefold() for one in reasons
        )

    return wanted


def _cause(reason: str) -> str:
    """Return a reason without its numbers, which are of one value alone."""
    return _NUMBER.sub("N", reason)


def _by_cause(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the causes and how many letters each has, the most first.

    Where all letters of a cause have one reason, it is told as it is.
    """
    causes: dict[str, tuple[str, int]] = {}
    for reason, count in reasons.items():
        cause = _cause(reason)
        told, before = causes.get(cause, (reason, 0))
        causes[cause] = (told if told == reason else cause, before + count)
    return sorted(causes.values(), key=lambda one: (-one[1], one[0]))


def _nothing_wanted() -> Failure:
    return Failure(
        "no dead letter is of this source and reason; `lineage dlq list` without them says which "
        "there are"
    )


def _write_groups(listed: Iterable[_Listed], style: Style, limit: int, of_topic: bool) -> int:
    """Count by source and cause."""
    reasons: dict[str, Counter[str]] = {}
    replayed: Counter[tuple[str, str]] = Counter()
    for one in listed:
        source, reason = one.letter.source, one.letter.reason
        reasons.setdefault(source, Counter())[reason] += one.count
        if one.replayed_to is not None:
            replayed[source, _cause(reason)] += one.count
    rows = [
        (source, told, letters, replayed[source, _cause(told)])
        for source, of_source in reasons.items()
        for told, letters in _by_cause(of_source)
    ]
    rows.sort(key=lambda row: (-row[2], row))
    if of_topic:
        return write_rows(("source", "reason", "letters", "replayed"), rows, style, limit)
    return write_rows(("source", "reason", "letters"), [row[:3] for row in rows], style, limit)


def _write_each(listed: Iterable[_Listed], style: Style, limit: int, of_topic: bool) -> int:
    columns = ("source", "partition", "position", "reason", "sha256", "replayed_to")
    rows: Iterator[Row] = (
        (*(getattr(one.letter, name) for name in columns[:5]), one.replayed_to) for one in listed
    )
    if of_topic:
        return write_rows(columns, rows, style, limit)
    return write_rows(columns[:5], (row[:5] for row in rows), style, limit)

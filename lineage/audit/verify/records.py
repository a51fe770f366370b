"""Checks what the tracker recorded of its own work: history, positions, dead letters, notes."""

from __future__ import annotations

from collections.abc import Iterator

from lineage.audit.digest.digest import digest
from lineage.audit.verify.checked import MEND_DERIVED, MEND_EVENTS, Checked, Examination, Problems
from lineage.database.digest_notes import NOTES, DigestNote, Fingerprints, last_note
from lineage.database.statements import sql
from lineage.keys.keyed_batch import IDENTIFIED

_MEND_POSITIONS = (
    "read the topics into a new database; positions that are wrong leave records out, or read them"
    " again, which changes nothing"
)


def check_history(ex: Examination) -> Checked:
    """Check that raising and clearing, one after another, come to the flags that stand."""
    problems = Problems()
    for rule, message_id, why in ex.rows(sql("audit/verify/records/wrong_history")):
        problems.add(f"core.flag_history: message {message_id}, rule {rule}: {why}")
    ((rows, first, last, distinct),) = ex.rows(
        "SELECT count(*), min(seq), max(seq), count(DISTINCT seq) FROM core.flag_history"
    )
    if rows and (first, last, distinct) != (1, rows, rows):
        problems.add(f"core.flag_history: the numbers of {rows} rows are not 1, 2, 3 … {rows}")
    for (published,) in ex.rows("SELECT published FROM core.outbox"):
        if published is None or not 0 <= published <= (last or 0):
            problems.add(f"core.outbox: {published} was published, and there are {rows} changes")
    for name, seq in ex.rows("SELECT name, seq FROM core.alert_target"):
        if name is None or seq is None or not 0 <= seq <= (last or 0):
            problems.add(f"core.alert_target: {name} has {seq} of {rows} changes")
    told = f"{rows:,} raisings and clearings come to the flags that stand"
    return Checked("flag history", told, problems.all(), MEND_DERIVED)


def check_positions(ex: Examination) -> Checked:
    """Check the positions in Kafka, and where dead letters were read."""
    problems = Problems()
    for topic, partition, why in ex.rows(sql("audit/verify/records/wrong_positions")):
        problems.add(f"{topic}, partition {partition}: {why}")
    for source, position, why in ex.rows(sql("audit/verify/records/wrong_dead_letters")):
        problems.add(f"core.dead_letter: {source}, {position}: {why}")
    for table in IDENTIFIED:
        query = sql("audit/verify/records/wrong_origins").format(table=table)
        for place, count, first in ex.rows(query):
            problems.add(f"core.{table}: {count:,} events of {place}, the first at {first}")
    counts = ex.rows(sql("audit/verify/records/positions"))
    ((partitions, records, events, read, letters, lost),) = counts
    rest = records - events - read
    if rest < 0:
        problems.add(f"{events + read:,} events and dead letters are of {records:,} records")
    told = (
        f"{partitions:,} partitions, {records:,} records read: {events:,} events, {read:,} dead"
        f" letters, {max(0, rest):,} repeats and marks; {letters:,} dead letters in all"
    )
    if lost:
        told += f"; {lost:,} times records were deleted before they were read (table dead_letter)"
    return Checked("positions", told, problems.all(), _MEND_POSITIONS)


def check_note(ex: Examination, found: Fingerprints) -> Iterator[Checked]:
    """Check that the database is as it was when its digest was noted, as far as it still should.

    found: the fingerprints of its tables as they are.
    """
    problems = Problems()
    note = last_note(ex.connection)
    if note is None:
        if ex.number("SELECT notes FROM core.format"):
            problems.add("core.digest_note: the notes are gone")
        told = "no digest was noted (`lineage digest --note` does it)"
        yield Checked("digest note", told, problems.all(), MEND_EVENTS)
        return
    if not note.is_whole:
        problems.add("core.digest_note: a note is not as it was made, or gone")
    at = f"noted at {note.noted_at} UTC" if note.noted_at else "noted"
    if note.holds:
        _compare(ex, note, found, problems)
        told = f"as {at}" if not problems.count else f"not as {at}"
    else:
        told = f"{at}; recorded to since, so that the digest may be another"
        events = ex.number(sql("audit/count_events"))
        if events < note.events:
            problems.add(f"{note.events:,} events were noted, and there are {events:,}")
    yield Checked("digest note", told, problems.all(), MEND_EVENTS)


def _compare(ex: Examination, note: DigestNote, found: Fingerprints, problems: Problems) -> None:
    for name in sorted({*note.fingerprints, *found} - {NOTES, "format"}):
        was, now = note.fingerprints.get(name), found.get(name)
        if was is None or now is None:
            problems.add(f"core.{name} was {'not ' if was is None else ''}there when noted")
        elif was[0] != now[0]:
            problems.add(f"core.{name} had {was[0]:,} rows when noted, and has {now[0]:,}")
        elif was[1] != now[1]:
            problems.add(f"core.{name} has other content than when noted")
    if ex.sample is None:
        value = digest(ex.connection, ex.memory_mib, ex.folder, ex.limits)
        if value != note.digest:
            problems.add(f"the digest is {value}, and was {note.digest} when noted")

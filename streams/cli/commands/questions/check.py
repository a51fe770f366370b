"""`check`: compares the flags of a database with the expected ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from streams.cli import options
from streams.cli.errors import Failure
from streams.cli.output.stdout import write_json, write_rows
from streams.cli.reader import reader_of
from streams.json_values import jsonable

FILE_NAME = "expected-flags.jsonl"
KEY = ("rule", "message_id", "dataset")
VALUES = ("severity", "policy_id", "first_at", "last_at", "arrivals", "first_hop")
INSTANTS = ("first_at", "last_at")
# `lineage flags` writes them, too; they follow from other columns, and are not compared.
BESIDE = ("job", "recipient")

Key = tuple[str, ...]
Flag = Mapping[str, object]


@dataclass(frozen=True)
class Comparison:
    """Flags by their key (rule, message, dataset): expected ones and found ones."""

    expected: Mapping[Key, Flag]
    found: Mapping[Key, Flag]

    @property
    def missing(self) -> list[Key]:
        """The keys of flags that were expected and not found."""
        return sorted(self.expected.keys() - self.found.keys())

    @property
    def unexpected(self) -> list[Key]:
        """The keys of flags that were found and not expected."""
        return sorted(self.found.keys() - self.expected.keys())

    @property
    def different(self) -> list[tuple[Key, list[str]]]:
        """The keys of flags both expected and found, with the columns in which they differ."""
        both = sorted(self.expected.keys() & self.found.keys())
        fields = ((k, [v for v in VALUES if self.expected[k][v] != self.found[k][v]]) for k in both)
        return [(key, columns) for key, columns in fields if columns]

    @property
    def precision(self) -> float:
        """The part of the found flags that was expected; 1 where nothing was found."""
        both = len(self.found.keys() & self.expected.keys())
        return both / len(self.found) if self.found else 1.0

    @property
    def recall(self) -> float:
        """The part of the expected flags that was found; 1 where nothing was expected."""
        both = len(self.found.keys() & self.expected.keys())
        return both / len(self.expected) if self.expected else 1.0

    def differences(self) -> Iterator[dict[str, object]]:
        """Yield every difference: its kind, the flag's key, and column -> [expected, found]."""
        for kind, keys in (("missing", self.missing), ("unexpected", self.unexpected)):
            for key in keys:
                yield {"difference": kind, **dict(zip(KEY, key, strict=True)), "columns": {}}
        for key, columns in self.different:
            pairs = {c: [self.expected[key][c], self.found[key][c]] for c in columns}
            yield {"difference": "different", **dict(zip(KEY, key, strict=True)), "columns": pairs}


@click.command()
@click.argument("log", type=click.Path(path_type=Path), metavar="LOG")
@options.database
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="List at most N differences, 0 for all.",
)  # fmt: skip
@options.as_json
def check(log: Path, db: Path, limit: int, as_json: bool) -> None:
    """Compare the flags of a database with the expected ones: precision and recall.

    LOG is an event log, a file or a folder, with expected-flags.jsonl in it or beside it, or
    that file itself. All columns of a flag are compared. Exits with 1 if anything differs.
    """
    path = _expected_file(log)
    expected = _read_expected(path)
    with reader_of(db) as store:
        columns = (*KEY, *VALUES)
        relation = store.flags().select(*columns)
        rows = (dict(zip(columns, map(jsonable, r), strict=True)) for r in relation.fetchall())
        found = {_key(row): row for row in rows}
    comparison = Comparison(expected, found)
    _write(path, comparison, list(comparison.differences()), limit, as_json)


def _write(
    path: Path,
    comparison: Comparison,
    differences: list[dict[str, object]],
    limit: int,
    as_json: bool,
) -> None:
    summary: dict[str, object] = {
        "expected": len(comparison.expected),
        "found": len(comparison.found),
        "missing": len(comparison.missing),
        "unexpected": len(comparison.unexpected),
        "different": len(comparison.different),
        "precision": comparison.precision,
        "recall": comparison.recall,
    }
    shown = differences[:limit] if limit else differences
    if as_json:
        write_json({**summary, "differences": shown})
    else:
        write_rows(("what", "value"), list(summary.items()), "text")
        if shown:
            click.echo()
            heads = ("difference", *KEY, "columns: [expected, found]")
            write_rows(heads, [tuple(_row(each).values()) for each in shown], "text")
        if len(shown) < len(differences):
            click.echo(
                f"{len(shown):,} of {len(differences):,} differences; --limit 0 lists all", err=True
            )
    if differences:
        raise click.exceptions.Exit(1)


def _row(difference: dict[str, object]) -> dict[str, object]:
    return {**difference, "columns": difference["columns"] or None}


def _expected_file(log: Path) -> Path:
    if not log.exists():
        raise Failure(f"{log}: there is no such file or folder")
    if log.is_file() and log.name == FILE_NAME:
        return log
    places = [log / FILE_NAME] if log.is_dir() else []
    places.append(log.absolute().parent / FILE_NAME)
    for place in places:
        if place.is_file():
            return place
    raise Failure(f"{log}: no {FILE_NAME} in it or beside it; `lineage simulate` writes one")


def _read_expected(path: Path) -> dict[Key, Flag]:
    expected: dict[Key, Flag] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                flag = _read_flag(line, f"{path}, line {number}")
                if _key(flag) in expected:
                    raise Failure(f"{path}, line {number}: an earlier line has the same flag")
                expected[_key(flag)] = flag
    return expected


def _read_flag(line: bytes, where: str) -> Flag:
    from lineage.codec.contract.instants import micros_of, text_of

    try:
        flag = json.loads(line)
    except (ValueError, RecursionError):
        flag = None
    if isinstance(flag, dict):
        flag = {name: value for name, value in flag.items() if name not in BESIDE}
    if not isinstance(flag, dict) or flag.keys() != {*KEY, *VALUES}:
        raise Failure(f"{where}: must be a JSON object with the columns of flag")
    if not all(isinstance(flag[column], str) for column in (*KEY, *INSTANTS)):
        raise Failure(f"{where}: {', '.join((*KEY, *INSTANTS))} must be strings")
    instants: dict[str, str] = {}
    for column in INSTANTS:
        micros = micros_of(flag[column])
        if micros is None:
            raise Failure(f"{where}: {column} must be an instant, as 2024-09-18T00:00:00Z")
        instants[column] = text_of(micros)
    return {**flag, **instants}


def _key(flag: Flag) -> Key:
    return tuple(str(flag[column]) for column in KEY)

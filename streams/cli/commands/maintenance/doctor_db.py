"""`doctor --db`: checks a database, a line for each check."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.output.progress import progress
from streams.cli.output.stdout import write_json, write_rows

if TYPE_CHECKING:
    from lineage.audit.verify.checked import Checked

SEEDS = 2**31


def check_database(
    db: Path, everything: bool, messages: int, seed: int | None, as_json: bool
) -> None:
    """Write the outcome of each check of a database; exit with 1 if anything is wrong."""
    import lineage

    with lineage.open(db, read_only=True) as store:
        if store.unfinished is not None:
            click.echo(store.unfinished, err=True)
        if seed is None:
            seed = secrets.randbelow(SEEDS)
        ((there,),) = store.sql("SELECT count(*) FROM message").fetchall()
        total = int(there) if everything else min(int(there), messages)
        with progress("doctor", total, "messages") as advance:
            checks = list(store.verify(None if everything else messages, seed, advance))
    if as_json:
        for checked in checks:
            write_json(_row(checked))
    else:
        write_rows(("status", "check", "found"), list(_lines(checks)), "text")
    wrong = sum(not checked.is_sound for checked in checks)
    if wrong:
        click.echo(f"{wrong} of {len(checks)} checks found something", err=True)
        raise click.exceptions.Exit(1)


def _row(checked: Checked) -> dict[str, object]:
    return {
        "status": _status(checked),
        "check": checked.check,
        "found": checked.found,
        "problems": list(checked.problems),
        "advice": None if checked.is_sound else checked.advice,
    }


def _lines(checks: list[Checked]) -> Iterator[tuple[object, ...]]:
    for checked in checks:
        yield _status(checked), checked.check, checked.found
        for problem in checked.problems:
            yield "", "", f"- {problem}"
        if not checked.is_sound:
            yield "", "", f"→ {checked.advice}"


def _status(checked: Checked) -> str:
    return "ok" if checked.is_sound else "WRONG"

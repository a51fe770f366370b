"""`ask`: answers a saved question, or lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.answer_rows import write_answer
from streams.cli.output.stdout import Shape, write_shaped

if TYPE_CHECKING:
    from lineage.audit.questions.saved_questions import SavedQuestion


@click.command()
@click.argument("name", required=False)
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    envvar="LINEAGE_DB",
    show_envvar=True,
    metavar="FILE",
    help="The lineage database, one DuckDB file; the list of questions needs none.",
)
@options.params
@click.option("--show", is_flag=True, help="Write the question itself, in SQL, and do not ask it.")
@options.timeout
@options.rows
def ask(
    name: str | None,
    db: Path | None,
    params: tuple[str, ...],
    show: bool,
    timeout: float,
    shape: Shape,
) -> None:
    """Answer a saved question; without NAME, list them.

    They are SELECTs that come with this program, explained in docs/questions.md. An instant is UTC
    where it names no zone.
    """
    from lineage.audit.questions.saved_questions import saved_question

    if name is None:
        write_shaped(("question", "parameters", "title"), _list(), shape)
        return
    question = saved_question(name)
    if show:
        click.echo(question.sql, nl=False)
        return
    values = question.values(options.values_of(params))
    if db is None:
        raise click.UsageError("which database? Give --db FILE, or LINEAGE_DB")
    write_answer(db, question.sql, values, timeout, shape)


def _list() -> Iterator[tuple[str, str, str]]:
    from lineage.audit.questions.saved_questions import saved_questions

    for question in saved_questions().values():
        yield question.name, _parameters(question), question.title


def _parameters(question: SavedQuestion) -> str:
    """Return the names of the parameters, in brackets those that need not be given."""
    names = (each.name if each.required else f"[{each.name}]" for each in question.parameters)
    return " ".join(names)

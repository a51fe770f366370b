"""Turns errors into one sentence on stderr and an exit code."""

from __future__ import annotations

from typing import IO, Any

import click

from streams.errors import causes

BAD_INPUT = 2
NOT_AVAILABLE = 3
OUR_FAULT = 70  # EX_SOFTWARE of sysexits.h


class Failure(click.ClickException):
    """Ends the command with a sentence and an exit code."""

    def __init__(self, message: str, exit_code: int = BAD_INPUT) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the sentence to stderr."""
        click.echo(f"Error: {printable(self.message)}", err=True, file=file)


def explained(error: Exception) -> Failure:
    """Return the failure that an error comes to; for one that nobody expected, say so."""
    import duckdb

    from lineage.codec.errors import RegistryError, SchemasError

    if isinstance(error, SchemasError):
        return Failure(str(error), NOT_AVAILABLE if isinstance(error, RegistryError) else BAD_INPUT)
    exit_code = getattr(error, "exit_code", None)  # of LineageError and StreamsError
    if isinstance(exit_code, int):
        return Failure(str(error), exit_code)
    if isinstance(error, duckdb.Error):
        return Failure(f"the database cannot go on: {_first_line(error)}", NOT_AVAILABLE)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        return Failure(f"{where}{error.strerror}", BAD_INPUT)
    # Not its text: it could quote what was being read.
    return Failure(
        f"an unexpected {type(error).__name__}, which is a mistake in this program;"
        " LINEAGE_DEBUG=1 in the environment shows where",
        OUR_FAULT,
    )


def was_interrupted(error: BaseException) -> bool:
    """Say whether it all began with Ctrl-C, which DuckDB tells as an error of its own."""
    return any(
        isinstance(one, KeyboardInterrupt)
        or (isinstance(one, RuntimeError) and str(one) == "Query interrupted")
        for one in causes(error)
    )


def printable(text: str) -> str:
    """Spell out control characters, with which an id could write over a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

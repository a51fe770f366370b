"""`tail`: follows the flags as they are raised and cleared."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli import options
from streams.cli.output.stdout import console, text, write_json

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow", "LOW": "cyan"}


@click.command()
@options.database
@click.option(
    "--from", "begin", type=click.Choice(["now", "beginning"]), default="now", show_default=True,
    help="Only what comes, or what there is first.",
)  # fmt: skip
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True,
    metavar="SECONDS", help="Between two looks.",
)  # fmt: skip
def tail(db: Path, begin: str, interval: float) -> None:
    """Follow the flags as they are raised and cleared, until SIGINT.

    Lines for people on a terminal; piped, JSON, one object a change, in the columns of
    flag_history. A worker may write meanwhile, end, and start again.
    """
    from streams.cli.live import changes

    on_terminal = sys.stdout.isatty()
    for found in changes(db, begin == "beginning", interval):
        for change in found:
            if on_terminal:
                console().print(line_of(change), soft_wrap=True)
            else:
                write_json(change)
        if found:
            sys.stdout.flush()


def line_of(change: Mapping[str, object]) -> Text:
    """Return a change of a flag as a line for people."""
    from rich.text import Text

    severity, cleared = str(change["severity"]), change["status"] == "CLEARED"
    line = Text(text(change["recorded_at"])[:19] + " ")
    line.append("cleared " if cleared else "raised  ", "green" if cleared else "bold")
    line.append(severity.ljust(9), "" if cleared else _STYLES.get(severity, ""))
    for name, style in (("rule", "bold"), ("message_id", ""), ("dataset", "magenta")):
        line.append(text(change[name]) + "  ", style)
    return line

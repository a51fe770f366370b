"""Writes the reference of the commands from the commands themselves, for `make docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from streams.cli.app import cli

_HEAD = """\
# The command `lineage`

Written from the commands themselves by `make docs`; a test holds the two together.
"""


def reference() -> str:
    """Return the whole reference as Markdown."""
    # As when it runs: what the group says of its help option holds for its commands, too.
    group = click.Context(cli, info_name="lineage", **cli.context_settings)
    parts = [_HEAD, _help(cli) + "\n", *_table(cli, group)]
    parts += _commands(cli, group, "##")
    return "\n".join(parts).rstrip() + "\n"


def _commands(group: click.Group, parent: click.Context, heading: str) -> Iterator[str]:
    for name, command in group.commands.items():
        context = click.Context(command, parent=parent, info_name=name)
        path, usage = context.command_path, " ".join(command.collect_usage_pieces(context))
        yield from (f"\n{heading} `{path}`\n", f"```\n{path} {usage}\n```\n")
        yield _help(command) + "\n"
        if isinstance(command, click.Group):
            yield from _commands(command, context, heading + "#")
        else:
            yield from _table(command, context)


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _table(command: click.Command, context: click.Context) -> Iterator[str]:
    yield "| option | meaning |\n|---|---|"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            option, meaning = (part.replace("|", "\\|") for part in record)
            yield f"| `{option}` | {meaning} |"


if __name__ == "__main__":
    sys.stdout.write(reference())

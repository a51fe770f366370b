"""Groups the commands, and is the only place where an error becomes an exit code."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from types import FrameType

import click

from streams.cli.commands.logs import dlq, publish, replay, simulate
from streams.cli.commands.maintenance import backup, doctor
from streams.cli.commands.questions import ask, check, digest, flags, route, sql, whatif
from streams.cli.commands.services import attach, broker, console, serve, tail, top, worker
from streams.cli.errors import explained, was_interrupted

INTERRUPTED = 130  # 128 + SIGINT, as a shell says it
_UNWIND_SECONDS_MAX = 2.0


class _Group(click.Group):
    """Lists its commands in the order they were added, and turns errors into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise  # click ends quietly: the reader, such as `head`, has seen enough
        except Exception as error:
            if was_interrupted(error):
                raise click.exceptions.Exit(INTERRUPTED) from None
            if os.environ.get("LINEAGE_DEBUG"):
                raise
            raise explained(error) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="message-lineage", prog_name="lineage")
def cli() -> None:
    """Follow messages through datasets, and flag where a rule of the policy is broken.

    Data goes to stdout, progress and logs to stderr.

    Exit codes: 0 done; 1 --fail-on-flag, check or doctor --db found something; 2 bad usage or
    input path; 3 store or broker not available.
    """


for _command in (
    simulate.simulate,
    replay.replay,
    check.check,
    flags.flags,
    route.route,
    sql.sql,
    ask.ask,
    whatif.whatif,
    digest.digest,
    backup.backup,
    worker.worker,
    serve.serve,
    console.console,
    attach.attach,
    tail.tail,
    top.top,
    publish.publish,
    dlq.dlq,
    broker.broker,
    doctor.doctor,
):
    cli.add_command(_command)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Unwind, and end the process if that takes long: DuckDB first ends the query it is at.

    Nothing is lost by it: committed batches stay, and the rest is read again.
    """
    timer = threading.Timer(_UNWIND_SECONDS_MAX, _end_now)
    timer.daemon = True
    timer.start()
    raise KeyboardInterrupt


def _end_now() -> None:
    if "lineage.database.storage.spill" in sys.modules:
        from lineage.database.storage.spill import remove_all

        remove_all()
    os._exit(INTERRUPTED)


def main() -> None:
    """Run the command line of this process."""
    signal.signal(signal.SIGINT, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # An id can hold any character, and a terminal may know only some.
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="lineage")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)

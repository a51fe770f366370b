"""Writes the worker's log to stderr: one line for each event, without pictures of the program."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from typing import Literal

from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError

from streams.worker.limits import WORKER_LIMITS, WorkerLimits

__all__ = ["LogForm", "RepeatFilter", "log_to_stderr"]

LogForm = Literal["text", "json"]

logger = logging.getLogger(__name__)

_LOST_CONNECTIONS = (
    ConnectionError, KafkaConnectionError, NodeNotReadyError, RequestTimedOutError, TimeoutError,
)  # fmt: skip
# What goes with it, and names no error.
_LOST = ("Heartbeat session expired", "Marking the coordinator dead", "Unable to update metadata")


class RepeatFilter(logging.Filter):
    """Drops what libraries say again within `log_repeat_seconds`, whatever its values.

    Drops all that they say of a lost connection, too, which the watch over the topics says once.
    The project's own records are never dropped.
    """

    def __init__(self, limits: WorkerLimits = WORKER_LIMITS) -> None:
        super().__init__()
        self._limits = limits
        self._said_at: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be written."""
        if record.name.partition(".")[0] in ("streams", "lineage"):
            return True
        if record.name.startswith("aiokafka") and _is_of_a_lost_connection(record):
            return False
        key = (record.name, record.msg)
        said_at = self._said_at.get(key)
        if said_at is not None and record.created - said_at < self._limits.log_repeat_seconds:
            return False
        if len(self._said_at) >= self._limits.log_texts_max:
            self._said_at.clear()
        self._said_at[key] = record.created
        return True


def _is_of_a_lost_connection(record: logging.LogRecord) -> bool:
    arguments = record.args if isinstance(record.args, tuple) else ()
    return str(record.msg).startswith(_LOST) or any(
        isinstance(one, _LOST_CONNECTIONS) for one in arguments
    )


class _OneLine(logging.Formatter):
    """Formats without tracebacks, whose place is a bug report."""

    def formatException(self, _: object) -> str:  # noqa: N802 - inherited
        return ""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).rstrip("\n")


class _JsonLine(_OneLine):
    """Formats each record as one object of JSON; `counts` are those of the line of each minute."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        counts = getattr(record, "counts", None)
        if counts is not None:
            told["counts"] = counts
        if record.exc_info and os.environ.get("LINEAGE_DEBUG"):
            told["traceback"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def log_to_stderr(level: int = logging.INFO, form: LogForm = "text") -> None:
    """Write the log of this process to stderr; with LINEAGE_DEBUG set, with tracebacks.

    form: lines of text, or of JSON.
    """
    handler = logging.StreamHandler(sys.stderr)
    line = "%(asctime)s %(levelname)s %(message)s"
    if form == "json":
        handler.setFormatter(_JsonLine())
    else:
        handler.setFormatter(
            logging.Formatter(line) if os.environ.get("LINEAGE_DEBUG") else _OneLine(line)
        )
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=level, handlers=[handler])
    threading.excepthook = _log_thread_error
    sys.unraisablehook = _log_unraisable


def _log_thread_error(failed: threading.ExceptHookArgs) -> None:
    """Log an error that ended a thread of a library; what the work needs is watched elsewhere."""
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        _log_unhandled(failed.thread.name if failed.thread else "a thread", failed.exc_value)


def _log_unraisable(failed: sys.UnraisableHookArgs) -> None:
    """Log an error that nothing can catch, as in a finalizer."""
    if failed.exc_value is not None:
        _log_unhandled("cleaning up", failed.exc_value)


def _log_unhandled(where: str, error: BaseException) -> None:
    # Not its text: it could quote what was read.
    logger.error("%s ended with %s", where, type(error).__name__, exc_info=error)

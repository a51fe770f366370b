"""Files of an event log: those that are named, and those in folders."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lineage.codec.errors import LogError
from lineage.codec.log.kinds import KINDS, is_log_name, special_kind
from lineage.codec.source_names import source_name

_NAMED_MAX = 5  # of the files that are passed over
_NOT_A_LOG = "expected-flags.jsonl"  # in the folder of a simulated log

_LOG = logging.getLogger(__name__)

Paths = str | Path | Iterable[str | Path]


@dataclass(frozen=True)
class LogFile:
    """A file of an event log, and its size.

    found: in a folder that was named, not named itself. problem: why it is no file, if it is none.
    """

    path: Path
    bytes: int
    found: bool = False
    problem: str = ""


def log_files(paths: Paths) -> list[LogFile]:
    """Return the files of event logs, in the order of `paths`; those of a folder sorted by path.

    Flags that are expected of a simulated log are no part of it, even if `*.jsonl` names them.
    Raises LogError where a path is missing, is no event log by its name, or is a folder
    without one.
    """
    named = list(map(Path, [paths] if isinstance(paths, str | Path) else paths))
    logs = [path for path in named if not _is_expected(path)]
    if named and not logs:
        raise LogError(
            f"{source_name(named[0])} holds the flags that are expected of an event log, and no "
            "events; name the log"
        )
    return [file for path in logs for file in _files(path)]


def _files(path: Path) -> list[LogFile]:
    try:
        if path.is_dir():
            inside = [p for p in path.rglob("*") if _is_log(p)]
            if not inside:
                raise LogError(f"{source_name(path)} holds no event log ({KINDS})")
            return [_found(p) for p in sorted(inside)]
        size = path.stat().st_size
    except OSError as error:
        raise LogError(f"{source_name(path)} can't be read: {error.strerror}") from error
    if not is_log_name(path.name):
        raise LogError(
            f"{source_name(path)} is not an event log by its name; it must end in {KINDS}"
        )
    if problem := special_kind(path):
        raise LogError(f"{source_name(path)} {problem}")
    return [LogFile(path, size)]


def _found(path: Path) -> LogFile:
    problem = special_kind(path)
    return LogFile(path, 0 if problem else path.stat().st_size, True, problem)


def warn_of_others(paths: Paths) -> None:
    """Warn of files in folders that are passed over because of their names.

    Hidden files, and markers such as _SUCCESS, are expected there.
    """
    named = map(Path, [paths] if isinstance(paths, str | Path) else paths)
    folders = [path for path in named if path.is_dir()]
    others = sorted(
        source_name(path)
        for folder in folders
        for path in folder.rglob("*")
        if not path.is_dir() and not _is_log(path) and path.name != _NOT_A_LOG
        if not path.name.startswith((".", "_"))
    )
    if others:
        more = f" and {len(others) - _NAMED_MAX:,} more" if len(others) > _NAMED_MAX else ""
        told = ", ".join(others[:_NAMED_MAX])
        _LOG.warning("passed over, since they do not end in %s: %s%s", KINDS, told, more)


def _is_expected(path: Path) -> bool:
    return path.name == _NOT_A_LOG and path.is_file()


def _is_log(path: Path) -> bool:
    return is_log_name(path.name) and path.name != _NOT_A_LOG and not path.is_dir()

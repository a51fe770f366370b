"""Tells beside a database where it is served: FILE.serve.json, for its owner alone.

Commands find a running worker by it. A process that was killed leaves it behind, so it is looked at
closely: one whose process is gone is removed.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

__all__ = ["ServedAt", "address_file", "announce", "announced", "forget", "withdraw"]

_BYTES_MAX = 10_000


@dataclass(frozen=True)
class ServedAt:
    """Where a database is served, and by which process.

    instance: the server's name for itself, which it tells at /health. host: the machine that pid
    is a process of.
    """

    url: str
    token: str = field(repr=False)
    pid: int
    host: str
    instance: str
    started_at: str

    def is_gone(self) -> bool:
        """Say whether the process is known to have ended."""
        if self.host != socket.gethostname():
            return False  # of another machine, or container: nobody here can tell
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass  # it is another user's
        return False


def address_file(db: Path) -> Path:
    """Return the path of the file for a database, which may be named by a link."""
    whole = db.resolve()
    return whole.with_name(whole.name + ".serve.json")


def announce(db: Path, where: ServedAt) -> None:
    """Write the file, readable by its owner alone, in the place of an older one. Raises OSError."""
    path = address_file(db)
    number, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)  # of mode 0600
    made = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(asdict(where), file, indent=1)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def withdraw(db: Path, instance: str) -> None:
    """Remove the file, if it is still that of this server."""
    where = announced(db)
    if where is not None and where.instance == instance:
        forget(db)


def announced(db: Path) -> ServedAt | None:
    """Return what the file says; None where there is none, or nothing that can be read."""
    try:
        with address_file(db).open("rb") as file:
            told = json.loads(file.read(_BYTES_MAX))
        kinds = {each.name: int if each.name == "pid" else str for each in fields(ServedAt)}
        if all(isinstance(told[name], kind) for name, kind in kinds.items()):
            return ServedAt(**{name: told[name] for name in kinds})
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def forget(db: Path) -> None:
    """Remove the file, if that is allowed."""
    with suppress(OSError):
        address_file(db).unlink(missing_ok=True)

"""Memory and processors of this process, where the system tells (Linux)."""

from __future__ import annotations

import re
from pathlib import Path

_STATUS = Path("/proc/self/status")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def resident_bytes() -> int | None:
    """Return the bytes of memory that this process occupies; None where unknown."""
    return _bytes_of("VmRSS")


def data_bytes() -> int | None:
    """Return the bytes of memory that this process has asked for, used or not; None: unknown."""
    return _bytes_of("VmData")


def _bytes_of(name: str) -> int | None:
    found = re.search(rf"^{name}:\s*(\d+) kB", _text_of(_STATUS), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def processors() -> int | None:
    """Return the number of processors that this process may use, at least 1; None where unknown.

    The number follows from the affinity of the process, and from the quota of its container.
    """
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)", _text_of(_STATUS), re.MULTILINE)
    if not found:
        return None
    ranges = [part.split("-") for part in found[1].split(",")]
    allowed = sum(int(part[-1]) - int(part[0]) + 1 for part in ranges)
    quota = re.match(r"(\d+) (\d+)", _text_of(_QUOTA))
    return max(1, min(allowed, -(-int(quota[1]) // int(quota[2])) if quota else allowed))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""

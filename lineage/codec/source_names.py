"""Names of sources in texts: a file's name can be any bytes, and a text can't."""

from __future__ import annotations

from pathlib import Path


def source_name(path: Path) -> str:
    r"""Return a path as text: what is not UTF-8 in it, and no character, as \xNN."""
    return str(path).encode(errors="surrogateescape").decode(errors="backslashreplace")

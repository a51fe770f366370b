"""Kinds of files of an event log: by their names which are some, by their first bytes how to read.

A name can be wrong about how a file is packed or encoded: its first bytes are not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lineage.codec.avro.container import MAGIC
from lineage.codec.errors import LogError
from lineage.codec.json.lines import GZIP_MAGIC, ZSTD_MAGIC
from lineage.codec.source_names import source_name

KINDS: Final = ".jsonl or .ndjson (also with .gz or .zst, or rotated as .1) or .avro"

# As loggers and logrotate number and date what they set aside: .1, -20240601, .2024-06-01.
_ROTATED = r"([.-][0-9][0-9-]*)?"
_NAME = re.compile(
    rf".*(\.(jsonl|ndjson){_ROTATED}(\.(gz|zst))?|\.avro)", re.IGNORECASE | re.DOTALL
)
_PACKED = {".gz": (GZIP_MAGIC, "gzip"), ".zst": (ZSTD_MAGIC, "zstd")}
_REPACK = "unpack it first, or pack it with gzip or zstd"
_NO_LINES = {
    MAGIC: "is an Avro container file by its first bytes; its name must end in .avro",
    b"\xff\xfe": "is UTF-16 or UTF-32 by its first bytes; convert it to UTF-8",
    b"\xfe\xff": "is UTF-16 by its first bytes; convert it to UTF-8",
    b"\0\0\xfe\xff": "is UTF-32 by its first bytes; convert it to UTF-8",
    b"BZh": f"is packed with bzip2 by its first bytes; {_REPACK}",
    b"\xfd7zXZ\0": f"is packed with xz by its first bytes; {_REPACK}",
    b"PK\x03\x04": f"is a ZIP archive by its first bytes; {_REPACK}",
}
_START_BYTES = max(map(len, _NO_LINES))


def is_log_name(name: str) -> bool:
    """Say whether a file of this name is one of an event log."""
    return _NAME.fullmatch(name) is not None


def is_container_name(name: str) -> bool:
    """Say whether a file of this name is an object container file."""
    return name.lower().endswith(".avro")


def check_lines(path: Path) -> None:
    """Raise LogError where the first bytes of a file say that it has no lines of JSON."""
    try:
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        raise LogError(f"{source_name(path)} can't be read: {error.strerror}") from error
    for magic, what in _NO_LINES.items():
        if start.startswith(magic):
            raise LogError(f"{source_name(path)} {what}")
    magic, kind = _PACKED.get(path.suffix.lower(), (b"", ""))
    if not start.startswith(magic):
        raise LogError(f"{source_name(path)} is not a {kind} file")


def special_kind(path: Path) -> str:
    """Return what a path is that is neither a file nor a folder; nothing for a file."""
    if path.is_file():
        return ""
    kinds = {"named pipe": path.is_fifo, "socket": path.is_socket}
    found = next((kind for kind, holds in kinds.items() if holds()), None)
    if found is not None:
        return f"is a {found}, which can be read only once; write what comes from it to a file"
    if path.is_symlink() and not path.exists():
        return "is a link to nothing"
    return "is a device, and no file"

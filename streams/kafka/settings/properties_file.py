"""Reads files of `name=value` lines, as Kafka's own tools do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from streams.errors import KafkaSettingError

__all__ = ["read_properties"]

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


def read_properties(file: Path) -> dict[str, str]:
    """Return the settings of a file; raises KafkaSettingError, which quotes no value.

    Lines of `name=value` or `name: value`; those that begin with # or ! are comments. A backslash
    stands before a character that is meant as it is, and at the end of a line that goes on in the
    next one.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise KafkaSettingError(f"{file}: {why}") from error
    found: dict[str, str] = {}
    for number, line in _lines(text):
        name, separator, value = _split(line)
        if not separator or not name:
            raise KafkaSettingError(f"{file}, line {number}: this is no name=value")
        if name in found:
            raise KafkaSettingError(f"{file}, line {number}: {name} is given twice")
        found[name] = value
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, those that go on in one piece, with their numbers."""
    begun = ""
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not begun:
            first = number
            if not stripped or stripped[0] in "#!":
                continue
        begun += stripped
        if (len(begun) - len(begun.rstrip("\\"))) % 2:
            begun = begun[:-1]
        else:
            yield first, begun
            begun = ""
    if begun:
        yield first, begun


def _split(line: str) -> tuple[str, str, str]:
    name, separator, value = re.match(r"([^=:\s]*)\s*([=:]?)\s*(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]  # it fits every text
    return _plain(name), separator, _plain(value)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: _character(found[1]), text)


def _character(code: str) -> str:
    return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)

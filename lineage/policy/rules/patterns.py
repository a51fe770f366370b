"""Patterns of LIKE, ILIKE, GLOB and regular expressions: their cost, and cheaper spellings.

DuckDB matches LIKE in one pass where the pattern has no wildcard but %. Otherwise DuckDB tries
every place for every %, so that time grows with the text to the power of the number of %. RE2,
which matches regular expressions, takes one pass for any pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lineage.errors import PolicyError

REGEXP_SIZE_MAX: Final = 500
_GLOB_STARS_MAX: Final = 1
# Steps of RE2's program for one place: a set of characters beyond ASCII, a property of Unicode.
_SET_SIZE: Final = 12
_PROPERTY_SIZE: Final = 800
_FOLDED_SIZE: Final = 4  # a letter of either case
_REPETITION: Final = re.compile(r"\{(\d+)(,?)(\d*)\}", re.ASCII)
_FLAGS: Final = re.compile(r"\?(P?<\w+>|[imsU-]*[:)])", re.ASCII)
# Patterns that DuckDB turns into a search, none of them into LIKE with wildcards.
_SEARCH: Final = re.compile(r"\^?[A-Za-z0-9 _:/@-]*\$?", re.ASCII)
_BROKEN: Final = "does not fit together: a regular expression is not well formed (RE2)"


@dataclass(frozen=True)
class Like:
    """A pattern of LIKE in two spellings.

    pattern: for LIKE without an escape; None if % alone cannot express it. regexp: for a match of
    the whole text, with the option s.
    """

    pattern: str | None
    regexp: str


def like(pattern: str, escape: str = "", *, folded: bool = False, glob: bool = False) -> Like:
    """Parse a pattern of LIKE, or one of GLOB that has no wildcard but *.

    folded: a pattern of ILIKE; the texts must then be in lower case.
    """
    if len(escape.encode()) > 1:
        raise PolicyError("does not fit together: ESCAPE takes one ASCII character")
    if folded and escape.isalpha():
        raise PolicyError("must not escape a pattern of ILIKE with a letter")
    if folded and pattern.isascii():
        pattern = pattern.lower()
    simple, regexp, plain = "", "", True
    characters = iter(pattern)
    for character in characters:
        if escape and character == escape:
            following = next(characters, None)
            if following is None:
                raise PolicyError("must not end a pattern with its escape character")
            plain &= following not in "%_"
            simple, regexp = simple + following, regexp + _quoted(following)
        elif character == ("*" if glob else "%"):
            simple, regexp = simple + "%", regexp + ".*"
        elif character == "_" and not glob:
            plain, regexp = False, regexp + "."
        else:
            plain &= character not in "%_"
            simple, regexp = simple + character, regexp + _quoted(character)
    return Like(simple if plain else None, regexp)


def _quoted(character: str) -> str:
    special = character.isascii() and not character.isalnum() and character not in "_ \t\r\n"
    return f"\\{character}" if special else character


def is_like(glob: str) -> bool:
    """Say whether a pattern of GLOB has no wildcard but *."""
    return not any(character in glob for character in "?[\\")


def stars(glob: str) -> int:
    """Count the * of a pattern of GLOB for which all places are tried; the last ones match all."""
    return glob.rstrip("*").count("*")


def check_glob(pattern: str) -> None:
    """Raise PolicyError for a pattern of GLOB that would take too long."""
    if stars(pattern) > _GLOB_STARS_MAX:
        raise PolicyError(
            "must not give GLOB a pattern with ?, [ or \\ and more than one * before its end;"
            " write regexp_matches() instead"
        )


def regexp_size(pattern: str, options: str) -> int:
    """Estimate the size of RE2's program from above.

    Raises PolicyError for a pattern that would be larger than REGEXP_SIZE_MAX, or that is not well
    formed.
    """
    size = _Regexp(pattern, folded="i" in options or "(?" in pattern).size()
    if size > REGEXP_SIZE_MAX:
        raise PolicyError(
            f"holds a regular expression that is too large: its repetitions written out, it may"
            f" have about {REGEXP_SIZE_MAX} parts (a set of characters is {_SET_SIZE} or more)"
        )
    return size


def unconverted(pattern: str) -> str:
    """Return an equal pattern for regexp_matches() that DuckDB does not convert to LIKE."""
    return pattern if _SEARCH.fullmatch(pattern) else f"({pattern})"


class _Regexp:
    """A scan of a regular expression."""

    def __init__(self, pattern: str, *, folded: bool) -> None:
        self._pattern = pattern
        self._at = 0
        self._letter = _FOLDED_SIZE if folded else 1
        # By open group: its size so far, and that of its last piece, which a repetition repeats.
        self._groups = [[2, 0]]

    def size(self) -> int:
        while self._at < len(self._pattern):
            character = self._pattern[self._at]
            repetition = _REPETITION.match(self._pattern, self._at)
            self._at += 1
            if character == "(":
                self._open()
            elif character == ")":
                self._close()
            elif character == "[":
                self._piece(self._set())
            elif character == "\\":
                self._piece(self._escape())
            elif repetition:
                self._repeat(repetition)
            elif character in "*+?":
                self._groups[-1][0] += 2
                self._check_piece()
            elif character == "|":
                self._piece(0)
            else:
                self._piece(_SET_SIZE if character == "." else self._letters(character))
        if len(self._groups) != 1:
            raise PolicyError(_BROKEN)
        return sum(self._groups[0])

    def _letters(self, character: str) -> int:
        return self._letter * len(character.encode())

    def _piece(self, size: int) -> None:
        group = self._groups[-1]
        group[0] += group[1]
        group[1] = size

    def _check_piece(self) -> None:
        """Raise PolicyError for a repetition of nothing, which in parentheses could be flags."""
        if not self._groups[-1][1]:
            raise PolicyError(_BROKEN)

    def _open(self) -> None:
        """Open a group, or skip flags; the ( has been read."""
        flags = _FLAGS.match(self._pattern, self._at)
        if flags is None and self._pattern.startswith("?", self._at):
            raise PolicyError(_BROKEN)
        self._at = flags.end() if flags else self._at
        if flags is None or not flags.group().endswith(")"):
            self._groups.append([2, 0])

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise PolicyError(_BROKEN)
        self._piece(sum(self._groups.pop()))

    def _repeat(self, repetition: re.Match[str]) -> None:
        self._check_piece()
        least, more, most = repetition.groups()
        times = max(int(least[:5]), int(most[:5] or 0), 1) + bool(more and not most)
        self._groups[-1][1] = self._groups[-1][1] * times + times
        self._at = repetition.end()

    def _escape(self) -> int:
        if self._at == len(self._pattern):
            raise PolicyError(_BROKEN)
        character = self._pattern[self._at]
        self._at += 1
        if character in "QE":
            raise PolicyError("must not use \\Q in a regular expression")
        if character in "pP":
            return _PROPERTY_SIZE
        if character == "x" and self._pattern.startswith("{", self._at):
            end = self._pattern.find("}", self._at)
            self._at = len(self._pattern) if end < 0 else end + 1
            return self._letter * 4
        return _SET_SIZE if character.isalpha() else self._letters(character)

    def _set(self) -> int:
        """Return the size of a set of characters, whose [ has been read."""
        begin = self._at
        self._at += self._pattern.startswith("^", self._at)
        self._at += self._pattern.startswith("]", self._at)
        size = _SET_SIZE
        while not self._pattern.startswith("]", self._at):
            if self._at >= len(self._pattern):
                raise PolicyError(_BROKEN)
            if self._pattern.startswith("[:", self._at):
                end = self._pattern.find(":]", self._at)
                self._at = self._at + 1 if end < 0 else end + 2
            elif self._pattern[self._at] == "\\":
                self._at += 1
                size += self._escape()
            else:
                self._at += 1
        self._at += 1
        return size + 2 * self._letter * (self._at - begin)

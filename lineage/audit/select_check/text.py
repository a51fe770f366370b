"""Lexical check of a query's text, before DuckDB parses it.

The parser copies some parts of a text into its tree again and again, and nothing can interrupt the
parser: a text that would grow beyond all bounds must not reach it. DuckDB's own scanner finds the
words.
"""

from __future__ import annotations

from typing import Final

import duckdb

from lineage.errors import QueryError

TEXT_BYTES_MAX: Final = 500_000
WORDS_MAX: Final = 40_000
BRACKETS_MAX: Final = 100
_CASE_OPERAND_MAX: Final = 256  # `CASE operand WHEN`: copied into every WHEN
_WINDOW_COPIES_MAX: Final = 1_000_000  # `OVER name`: a copy of the name's definition in WINDOW
_WORDS = (duckdb.token_type.keyword, duckdb.token_type.operator)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def check_text(text: str) -> None:
    """Raise QueryError for a text that is no Unicode or that the parser must not see."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise QueryError("not SQL that DuckDB can read: it holds a lone surrogate") from None
    if "\0" in text:
        raise QueryError("not SQL that DuckDB can read: it holds a null character")
    if size > TEXT_BYTES_MAX:
        raise QueryError(
            f"the question has {size:,} bytes, and at most {TEXT_BYTES_MAX:,} are allowed"
        )
    words = _words(text)
    if len(words) > WORDS_MAX:
        raise QueryError(f"the question has more than {WORDS_MAX:,} words and signs")
    _check_brackets(words)
    _check_case(words)
    _check_windows(words, size)


def _words(text: str) -> list[tuple[int, str]]:
    """Return the place in bytes and the text, in lower case, of each token.

    The text is empty for tokens that are neither keywords nor operators.
    """
    raw = text.encode()
    tokens = duckdb.tokenize(text)
    ends = [start for start, _ in [*tokens[1:], (len(raw), None)]]
    return [
        (start, _first_word(raw[start:end]) if kind in _WORDS else "")
        for (start, kind), end in zip(tokens, ends, strict=bool(tokens))
    ]


def _first_word(piece: bytes) -> str:
    """Return the token at the beginning of a piece, without the space and the comments after it."""
    return piece.split(b"--")[0].split(b"/*")[0].strip().decode(errors="replace").lower()


def _check_brackets(words: list[tuple[int, str]]) -> None:
    depth = 0
    for _, word in words:
        depth += (word in _OPENING) - (word in _CLOSING)
        if depth > BRACKETS_MAX:
            raise QueryError(f"the question nests brackets more than {BRACKETS_MAX} deep")


def _check_case(words: list[tuple[int, str]]) -> None:
    operand: int | None = None  # where the operand of an open simple CASE begins
    for start, word in words:
        if word == "case":
            if operand is not None:
                raise QueryError(
                    "a CASE stands between another CASE and its WHEN; write CASE WHEN condition"
                    " THEN … instead"
                )
            operand = start
        elif word == "when" and operand is not None:
            if start - operand > _CASE_OPERAND_MAX:
                raise QueryError(
                    f"more than {_CASE_OPERAND_MAX} bytes stand between CASE and WHEN; write"
                    " CASE WHEN condition THEN … instead"
                )
            operand = None


def _check_windows(words: list[tuple[int, str]], size: int) -> None:
    first = next((start for start, word in words if word == "window"), size)
    overs = sum(word == "over" for _, word in words)
    if overs * (size - first) > _WINDOW_COPIES_MAX:
        raise QueryError("the question uses a long WINDOW too often; write it in fewer places")

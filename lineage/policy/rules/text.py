"""Lexical check of a rule's text, before DuckDB parses it.

The syntax tree decides whether a rule is allowed. This check is for tokens that the tree does not
show (a comment), and for text that must not reach the parser at all (an expression that the parser
would copy without end).
"""

from __future__ import annotations

import re

from lineage.errors import PolicyError

RULE_BYTES_MAX = 4096
# DuckDB copies the operand of `CASE operand WHEN ...` into every WHEN.
_CASE_OPERAND_MAX = 256
_CASE_COPIES_MAX = 16_384  # bytes of the operands so copied

_TOKEN = re.compile(
    r"""(?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<comment>--|/\*)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# E'..', X'..', B'..', N'..': DuckDB reads escapes in some of them and mangles others.
_STRING_PREFIXES = frozenset("exbn")
_FOREIGN = re.compile(r"[^\t\n\r\x20-\x7e]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_text(when: str) -> None:
    """Raise PolicyError for a text that is empty, too long, or holds a forbidden token."""
    try:
        size = len(when.encode())
    except UnicodeEncodeError:
        raise PolicyError("must be Unicode text, without lone surrogates") from None
    if size > RULE_BYTES_MAX:
        raise PolicyError(f"has {size} bytes; a rule has at most {RULE_BYTES_MAX}")
    if not when.strip():
        raise PolicyError("must be a SQL boolean expression over the facts, not empty")
    if _CONTROL.search(when):
        raise PolicyError("must not hold control characters")
    _check_tokens(when)


def _check_tokens(when: str) -> None:
    word, word_end = "", -1
    operand_start: int | None = None  # where the operand of an open simple CASE begins
    operand, whens = 0, 0  # the length of the longest operand, and the number of WHENs
    for token in _TOKEN.finditer(when):
        kind, start = token.lastgroup, token.start()
        if kind == "comment":
            raise PolicyError("must not hold a comment (-- or /*)")
        if kind == "other":
            _check_other(token.group())
        elif kind == "string" and word_end == start and word in _STRING_PREFIXES:
            raise PolicyError("must write strings plainly, as in 'text', without a prefix letter")
        elif kind == "word":
            word, word_end = token.group().lower(), token.end()
            if word == "case":
                if operand_start is not None:
                    raise PolicyError("must not put a CASE between another CASE and its WHEN")
                operand_start = word_end
            elif word == "when":
                operand = max(operand, start - operand_start if operand_start else 0)
                whens, operand_start = whens + 1, None
    if operand > _CASE_OPERAND_MAX or operand * whens > _CASE_COPIES_MAX:
        raise PolicyError(
            f"must not put more than {_CASE_OPERAND_MAX} characters between CASE and WHEN, and"
            " fewer with many WHENs; write CASE WHEN condition THEN ... instead"
        )


def _check_other(character: str) -> None:
    if character in "'\"":
        raise PolicyError("opens a quote that it does not close")
    if character == "$":
        raise PolicyError("must not hold $: write strings as 'text', and no parameters")
    if _FOREIGN.match(character):
        raise PolicyError("must be ASCII outside of quotes")

"""Damages bytes and texts in the ways that break readers, the same for the same chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

# What is odd to a reader of Avro: counts and lengths at the bounds, overlong and endless varints.
_ODD_BYTES: Final = (
    b"\x00",
    b"\x01",
    b"\x02",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\x80\x00",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xfe\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x10",
    b"\xff" * 11,
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
)
# And to a reader of JSON or YAML.
_ODD_TEXTS: Final = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"'",
        b"\\",
        b"\n",
        b"\t",
        b" ",
        b"#",
        b"&a ",
        b"*a",
    ),
    *(b"null", b"true", b"-0", b"1e999", b"NaN", b"1.0", b"18446744073709551616", b"\xef\xbb\xbf"),
    *(b"\\ud800", b"\\u0000", b'"event":"MessageSent",', b"[" * 50, b"{" * 50, b'{"a":' * 50),
    *(
        b"!!python/object ",
        b"? ",
        b"- ",
        b"|\n",
        b">-\n",
        b"<<: ",
        b"---\n",
        b"...\n",
        b"%YAML 1.1\n",
    ),
    *(b"no", b"~", b"0x1F", b"1_000", b"2024-02-30T00:00:00Z", b"\xc3\x28", b"\xed\xa0\x80"),
)

Step = Callable[[random.Random, bytes, bytes], bytes]


def mutated(
    chance: random.Random, value: bytes, other: bytes, odd: Sequence[bytes] = _ODD_BYTES
) -> bytes:
    """Return the value after one to three mutations; `other` is one to splice it with."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(value) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            value = value[:at] + bytes([chance.randrange(256)]) + value[at + 1 :]
        elif kind == 1:
            value = _flipped(chance, value)
        elif kind == 2:
            value = value[:at] + chance.choice(odd) + value[at:]
        elif kind == 3:
            some = chance.choice(odd)
            value = value[:at] + some + value[at + len(some) :]
        elif kind == 4:
            value = value[:at] + value[at + chance.randint(1, 8) :]
        elif kind == 5:
            value = value[:at]
        elif kind == 6:
            end = min(len(value), at + chance.randint(1, 16))
            value = value[:end] + value[at:end] * chance.randint(1, 3) + value[end:]
        else:
            value = value[:at] + other[chance.randrange(len(other) + 1) :]
    return value


def mutated_text(chance: random.Random, value: bytes, other: bytes) -> bytes:
    """Return the text after one to three mutations."""
    return mutated(chance, value, other, _ODD_TEXTS)


def _flipped(chance: random.Random, value: bytes) -> bytes:
    if not value:
        return value
    changed = bytearray(value)
    changed[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
    return bytes(changed)

"""Makes ids: UUIDv7 for what happens at an instant, short ones for members.

UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then random bits, so that ids made later sort
later. The random bits are draws; no clock is read.
"""

from __future__ import annotations

import polars as pl

from streams.simulate.world.random_stream import RandomStream, random_bits

# Sixteen bits as text at a time: a table look-up, since polars writes no hexadecimal.
_HEX = pl.Series("hex", [f"{value:04x}" for value in range(2**16)])
_DASH = pl.lit("-")


def _hex(column: pl.Series) -> pl.Series:
    return _HEX.gather(column.cast(pl.UInt32))


def uuid7(at: pl.Series, key: int, index: pl.Series) -> pl.Series:
    """Make a UUIDv7 as text for each row.

    at: instants in microseconds since 1970 (Int64). index: what makes a row's draws its own;
    the same (key, index) gives the same random bits.
    """
    rows = pl.DataFrame([at.alias("at"), index.cast(pl.UInt64).alias("index")])
    millis = pl.col("at") // 1000
    low = random_bits(key, pl.col("index") * 2)
    high = random_bits(key, pl.col("index") * 2 + 1)
    words = rows.select(
        a=millis // 2**32,
        b=millis // 2**16 % 2**16,
        c=millis % 2**16,
        d=0x7000 + low % 2**12,
        e=0x8000 + low // 2**12 % 2**14,
        f=high % 2**16,
        g=high // 2**16 % 2**16,
        h=high // 2**32 % 2**16,
    )
    text = pl.DataFrame([_hex(words[name]).alias(name) for name in words.columns])
    return text.select(
        pl.concat_str("a", "b", _DASH, "c", _DASH, "d", _DASH, "e", _DASH, "f", "g", "h").alias(
            "id"
        )
    ).to_series()


def one_uuid7(at: int, random_stream: RandomStream) -> str:
    """Make a UUIDv7 as text at `at` (microseconds since 1970)."""
    low, high = random_stream.bits(), random_stream.bits()
    millis = f"{at // 1000:012x}"
    random = f"{high & (2**48 - 1):012x}"
    return (
        f"{millis[:8]}-{millis[8:]}-{0x7000 | low & 0xFFF:04x}-"
        f"{0x8000 | low >> 12 & 0x3FFF:04x}-{random}"
    )


# Odd, so that multiplying by it only shuffles the 32-bit numbers: no two members share an id.
_SHUFFLE = 0x9E3779B1


def member_ids(first: int, count: int) -> pl.Series:
    """Return the ids of members number `first` to `first + count - 1`, all distinct."""
    number = pl.int_range(first, first + count, dtype=pl.UInt64, eager=True)
    mixed = pl.DataFrame([number.alias("n")]).select(
        n=pl.col("n") * pl.lit(_SHUFFLE, dtype=pl.UInt64) % pl.lit(2**32, dtype=pl.UInt64)
    )["n"]
    halves = pl.DataFrame([_hex(mixed // 2**16).alias("a"), _hex(mixed % 2**16).alias("b")])
    return halves.select(pl.concat_str(pl.lit("m-"), "a", "b").alias("member_id")).to_series()


def member_id(number: int) -> str:
    """Return the id of one member."""
    return f"m-{number * _SHUFFLE % 2**32:08x}"

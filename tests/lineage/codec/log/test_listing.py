"""The files of an event log: by any usual name, and what is none is told."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import orjson
import pyarrow as pa
import pytest

import lineage
from lineage import codec
from lineage.codec import Batch, DeadLetter, LogError, read_events, read_log
from lineage.codec.contract.limits import ReadLimits
from tests.lineage.codec.examples import GOOD, content, reasons

LINES = b"".join(orjson.dumps(event) + b"\n" for event in GOOD)


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


def read(path: Path, limits: ReadLimits = codec.contract.limits.READ_LIMITS) -> Batch:
    return Batch.concat(read_log(path, limits=limits))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.ndjson", LINES),
        ("a.JSONL", LINES),
        ("a.jsonl.1", LINES),
        ("a.jsonl-20240601", LINES),
        ("a.jsonl.2024-06-01.gz", gzip.compress(LINES)),
        ("a.jsonl.2.gz", gzip.compress(LINES)),
        ("a.NDJSON.GZ", gzip.compress(LINES)),
        ("a.jsonl.zst", zstd(LINES)),
        ("several frames.jsonl.zst", zstd(LINES[:700]) + zstd(LINES[700:])),
        # A name can be wrong about how a file is packed.
        ("gzip.jsonl", gzip.compress(LINES)),
        ("zstd.jsonl", zstd(LINES)),
        ("with marks.jsonl.zst", zstd(b"\xef\xbb\xbf" + LINES)),
    ],
)
def test_a_log_is_read_by_any_usual_name(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "a.jsonl").write_bytes(LINES)
    wanted = content(read(tmp_path / "expected"))
    (tmp_path / "expected" / "a.jsonl").unlink()
    for path in (tmp_path, tmp_path / name):
        batch = read(path)
        assert batch.dead_letters == ()
        assert content(batch) == wanted
        assert len([*read_events(path)]) == len(GOOD)


@pytest.mark.parametrize("cut", [5, 200, -5, -1])
def test_a_zstandard_file_that_is_cut_or_damaged_is_told(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstd(LINES)[:cut])
    (reason,) = reasons(read(path)).values()
    assert "the packed data ends early or is damaged here" in reason
    path.write_bytes(zstd(LINES) + zstd(LINES)[:cut])
    batch = read(path)
    assert batch.events == len(GOOD)
    assert [*reasons(batch)] == [len(GOOD) + 1]


@pytest.mark.parametrize("filling", [b"x", b"\n"])
def test_a_zstandard_file_unpacks_to_no_more_than_its_share(tmp_path: Path, filling: bytes) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstd(LINES) + zstd(filling * (8 << 20)))
    batch = read(path, ReadLimits(unpacked_free=2 << 20))
    assert batch.events == len(GOOD)
    (reason,) = reasons(batch).values()
    assert "unpacks to more than 100 times its bytes and 2 MiB" in reason


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (LINES.decode().encode("utf-16"), "is UTF-16 or UTF-32 by its first bytes"),
        (LINES.decode().encode("utf-32"), "is UTF-16 or UTF-32 by its first bytes"),
        (b"\xfe\xff" + LINES.decode().encode("utf-16-be"), "is UTF-16 by its first bytes"),
        (b"Obj\x01", "is an Avro container file by its first bytes"),
        (b"BZh91AY", "is packed with bzip2 by its first bytes"),
        (b"\xfd7zXZ\0", "is packed with xz by its first bytes"),
    ],
)
def test_a_file_of_another_kind_is_named_and_stops_no_other(
    tmp_path: Path, data: bytes, what: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    with pytest.raises(LogError, match=what):
        read(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_bytes(LINES)
    batch = read(tmp_path)
    assert batch.events == len(GOOD)
    (letter,) = batch.dead_letters
    assert (letter.source, letter.position) == (str(tmp_path / "a.jsonl"), 0)
    assert what in letter.reason


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "nothing.avro").symlink_to(tmp_path / "gone")
    (tmp_path / "itself.jsonl").symlink_to("itself.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(LogError, match="is a named pipe, which can be read only once"):
        read(tmp_path / "pipe.jsonl")
    with pytest.raises(LogError, match="No such file"):
        read(tmp_path / "nothing.avro")
    with pytest.raises(LogError, match=r"named pipe|link to nothing"):
        read(tmp_path)
    (tmp_path / "z.jsonl").write_bytes(LINES)
    batch = read(tmp_path)
    assert batch.events == len(GOOD)
    told = {Path(letter.source).name: letter.reason for letter in batch.dead_letters}
    assert set(told) == {"pipe.jsonl", "nothing.avro", "itself.jsonl"}
    assert told["nothing.avro"].endswith("is a link to nothing")


def test_a_name_that_is_no_unicode_is_spelled_out(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for ending in (b"jsonl", b"avro"):
        with open(folder + b"/caf\xe9." + ending, "wb") as file:  # noqa: PTH123 - a Path is of text
            file.write(b"nonsense\n" + LINES)
    with lineage.open(":memory:") as store:
        store.replay(tmp_path)
        rows = store.sql("SELECT source, position FROM dead_letter ORDER BY ALL LIMIT 2").fetchall()
        assert store.sql("SELECT count(*) FROM message").fetchone() == (1,)
    assert rows == [(f"{tmp_path}/caf\\xe9.avro", 0), (f"{tmp_path}/caf\\xe9.jsonl", 1)]
    letters = [one for one in read_events(tmp_path) if isinstance(one, DeadLetter)]
    assert [letter.source.isascii() for letter in letters] == [True, True]


def test_marks_and_zeros_in_the_middle_of_a_file(tmp_path: Path) -> None:
    """As where files with a byte order mark are put together, or a machine lost its power."""
    path = tmp_path / "a.jsonl"
    mark = b"\xef\xbb\xbf"
    path.write_bytes(mark + LINES + mark + LINES + mark)
    assert (read(path).events, reasons(read(path))) == (
        2 * len(GOOD),
        {
            2 * len(GOOD)
            + 1: "not JSON: Input is a zero-length, empty document: line 1 column 1 (char 0)"
        },
    )
    path.write_bytes(LINES + b"\0" * 300 + LINES + b"\0" * 4096)
    batch = read(path)
    assert batch.events == 2 * len(GOOD) - 1
    told = reasons(batch)
    assert told[len(GOOD) + 1].startswith(
        "not JSON: 300 zero bytes, as where a file was not written to its end"
    )
    assert "what follows them in the line is not read" in told[len(GOOD) + 1]
    assert told[2 * len(GOOD) + 1].startswith("not JSON: 4,096 zero bytes")


def test_the_flags_expected_of_a_log_are_no_part_of_it_by_a_glob_either(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "expected-flags.jsonl").write_bytes(b"{}\n")
    batch = Batch.concat(read_log(sorted(tmp_path.glob("*.jsonl"))))
    assert (batch.events, batch.dead_letters) == (len(GOOD), ())
    with pytest.raises(LogError, match="holds the flags that are expected of an event log"):
        read_log(tmp_path / "expected-flags.jsonl")


def test_what_is_passed_over_is_told_of_whoever_reads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    for reading in (read_log, read_events):
        assert [*reading(tmp_path)]
    assert len(caplog.messages) == 2

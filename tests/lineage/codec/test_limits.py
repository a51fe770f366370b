"""Files and values that would take memory or time out of proportion to their size."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cramjam
import orjson
import pytest
from fastavro import schemaless_writer

from lineage import codec
from lineage.codec import (
    Batch,
    DeadLetter,
    Decoder,
    EncodeError,
    Encoder,
    EventType,
    LocalIds,
    LogError,
    from_events,
    read_events,
    read_log,
)
from lineage.codec.contract import limits
from lineage.codec.contract.limits import (
    BATCH_WEIGHT_MAX,
    HOP_ARRIVALS_MAX,
    READ_LIMITS,
    VALUES_MAX,
)
from lineage.codec.log.portions import weight_of
from lineage.codec.wire import PARSED
from tests.lineage.codec.examples import (
    CONSENT,
    HOP,
    MESSAGE,
    POLICY,
    Event,
    content,
    long,
    reasons,
)

pytestmark = pytest.mark.slow

MIB = 1 << 20
IDS = LocalIds()
SYNC = b"S" * 16


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data)) + zlib.crc32(data).to_bytes(4, "big")


def zstandard(data: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(data))


def streamed(data: bytes) -> bytes:
    """zstandard that does not say what it comes to, in several frames."""
    packer = cramjam.zstd.Compressor()
    frames = []
    for start in range(0, len(data), 20 * MIB):
        packer = cramjam.zstd.Compressor()
        packer.compress(data[start : start + 20 * MIB])
        frames.append(bytes(packer.finish()))
    return b"".join(frames)


PACK: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "null": ("null", bytes),
    "deflate": ("deflate", deflate),
    "bzip2": ("bzip2", bz2.compress),
    "xz": ("xz", lzma.compress),
    "snappy": ("snappy", snappy),
    "zstandard": ("zstandard", zstandard),
    "zstandard, streamed": ("zstandard", streamed),
}


def container(event: EventType, compression: str, *blocks: bytes, schema: Any = None) -> bytes:  # noqa: ANN401
    meta = {
        "avro.schema": json.dumps(schema).encode() if schema else event.schema.encode(),
        "avro.codec": compression.encode(),
    }
    out = b"Obj\x01" + long(len(meta))
    for key, value in meta.items():
        out += long(len(key)) + key.encode() + long(len(value)) + value
    return out + long(0) + SYNC + b"".join(blocks)


def block(count: int, data: bytes) -> bytes:
    return long(count) + long(len(data)) + data + SYNC


def datum(event: Event) -> bytes:
    return Encoder(IDS).encode(event)[5:]


def read(path: Path) -> Batch:
    return Batch.concat(read_log(path))


def letters_of(path: Path) -> list[DeadLetter]:
    return [item for item in read_events(path) if isinstance(item, DeadLetter)]


def apart(code: str, *arguments: object) -> tuple[int, str]:
    """How many MiB a program needs that runs in a process of its own, and what it prints."""
    program = (
        "import sys\nfrom pathlib import Path\nimport lineage\nfrom lineage import codec\n"
        f"{code}\n"
        # What resource tells includes the process that started this one.
        "print(int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) >> 10)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True, text=True, check=True, cwd=Path(codec.__file__).parents[2],
    )  # fmt: skip
    *printed, peak = done.stdout.split("\n")[:-1]
    return int(peak), "\n".join(printed)


COUNT = (
    "batches = list(codec.read_log(sys.argv[1]))\n"
    "print(sum(b.events for b in batches), sum(len(b.dead_letters) for b in batches))"
)


@pytest.mark.parametrize("kind", PACK)
def test_a_block_that_unpacks_to_too_much_is_lost_alone(tmp_path: Path, kind: str) -> None:
    compression, pack = PACK[kind]
    path = tmp_path / "a.avro"
    good = block(1, pack(datum(CONSENT)))
    bomb = block(5, pack(b"\0" * (READ_LIMITS.block + 1)))
    path.write_bytes(container(codec.CONSENT_CHANGED, compression, good, bomb, good))
    batch = read(path)
    assert batch.consent_changes["position"].to_list() == [1, 7]
    (reason,) = reasons(batch).values()
    assert list(reasons(batch)) == [2]
    assert "5 records are lost" in reason
    # A file that packs so well is already above what a file may come to.
    large = "the block has more than 64 MiB when it is unpacked; write smaller blocks"
    assert (reason if kind in ("null", "snappy") else large).startswith(large)
    assert large in reason or "unpack to more than 100 times their bytes and 16 MiB" in reason
    assert [(d.position, d.reason) for d in letters_of(path)] == [(2, reason)]


@pytest.mark.parametrize("kind", ["deflate", "bzip2", "xz", "zstandard", "zstandard, streamed"])
def test_bombs_take_little_memory(tmp_path: Path, kind: str) -> None:
    compression, pack = PACK[kind]
    path = tmp_path / "a.avro"
    bomb = block(1, pack(b"\0" * (120 * MIB)) * (30 if compression == "zstandard" else 1))
    path.write_bytes(container(codec.CONSENT_CHANGED, compression, *[bomb] * 10))
    peak, counts = apart(COUNT, path)
    assert counts == "0 10"
    assert peak < 500


def test_what_blocks_come_to_together_is_bounded(tmp_path: Path) -> None:
    # Each block is small enough, and says honestly that it has a million records.
    path = tmp_path / "a.avro"
    bomb = block(1_000_000, zstandard(b"\0" * 6_000_000))
    good = block(1, zstandard(datum(CONSENT)))
    path.write_bytes(container(codec.CONSENT_CHANGED, "zstandard", *[bomb] * 2000, good))
    code = (
        "from lineage.codec.contract.limits import ReadLimits\n"
        "events = letters = 0\n"
        "for batch in codec.read_log(sys.argv[1], limits=ReadLimits(unpacked_free=4 << 20)):\n"
        "    events += batch.events; letters += len(batch.dead_letters)\n"
        "print(events, letters < 2_000_000)"
    )
    peak, counts = apart(code, path)
    assert counts == "1 True"
    assert peak < 1024


def test_damaged_blocks_do_not_use_up_what_the_others_may_come_to(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    events = [{**CONSENT, "change_id": f"c{i}"} for i in range(20_000)]
    datums = [datum(event) for event in events]
    packed = [deflate(b"".join(datums[at : at + 500])) for at in range(0, len(datums), 500)]
    blocks = [block(500, data) for data in packed]
    broken = block(500, packed[0][:-200] + b"\xff" * 200)
    path.write_bytes(container(codec.CONSENT_CHANGED, "deflate", *[broken] * 30, *blocks))
    batch = read(path)
    assert (batch.events, len(batch.dead_letters)) == (20_000, 30)


@pytest.mark.parametrize("count", [1000, 2**31, 2**62])
def test_a_block_that_claims_many_records_has_those_that_are_in_it(
    tmp_path: Path, count: int
) -> None:
    path = tmp_path / "a.avro"
    good = datum(CONSENT)
    path.write_bytes(
        container(codec.CONSENT_CHANGED, "null", block(count, good * 3), block(1, good))
    )
    batch = read(path)
    assert batch.events == 4
    (letter,) = batch.dead_letters
    assert (letter.position, "damaged from here on" in letter.reason) == (4, True)


def test_records_that_are_nothing_are_passed_on_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    data = block(600_000, b"\0" * 3_600_000)
    path.write_bytes(container(codec.CONSENT_CHANGED, "null", data))
    sizes = [len(b.dead_letters) for b in read_log(path, batch_events=50_000)]
    assert sum(sizes) == 600_000
    assert max(sizes) <= 300_000


NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
NOTHING = {"type": "record", "name": "Nothing", "fields": []}
DOUBLING: list[Any] = [
    {"type": "record", "name": f"D{i}", "fields": [
        {"name": "a", "type": f"D{i - 1}" if i else "int"},
        {"name": "b", "type": f"D{i - 1}" if i else "int"},
    ]}
    for i in range(40)
]  # fmt: skip


def with_more(*types: Any) -> Any:  # noqa: ANN401 - parsed schemas
    schema = json.loads(codec.CONSENT_CHANGED.schema)
    schema["fields"] += [{"name": f"more{i}", "type": kind} for i, kind in enumerate(types)]
    return schema


UNBOUNDED: dict[str, tuple[Any, str]] = {
    "itself": (with_more(NODE), "its type messaging.Node contains itself"),
    "nulls": (with_more({"type": "array", "items": "null"}), "an array whose items have no bytes"),
    "nothings": (with_more({"type": "array", "items": NOTHING}), "items have no bytes"),
    "doubling": (with_more(*DOUBLING), "types inside types come to more than 10,000"),
    "a long text": (with_more() | {"doc": "x" * MIB}, "it has more than 1 MiB"),
}


@pytest.mark.parametrize("case", UNBOUNDED)
def test_a_schema_that_bounds_nothing_is_refused(tmp_path: Path, case: str) -> None:
    schema, reason = UNBOUNDED[case]
    path = tmp_path / "a.avro"
    path.write_bytes(container(codec.CONSENT_CHANGED, "null", schema=schema))
    with pytest.raises(LogError) as error:
        read_log(path)
    assert reason in str(error.value)


def test_headers_of_nothing_but_names_or_depth_are_no_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    meta = b"Obj\x01" + long(2_000_000) + b"\0\0" * 2_000_000
    deep = ('{"type":' * 100_000).encode()
    for data in (meta, b"Obj\x01" + long(1) + long(11) + b"avro.schema" + long(len(deep)) + deep):
        path.write_bytes(data + long(0) + SYNC)
        with pytest.raises(LogError, match="has no whole Avro header"):
            read_log(path)


def hop(inputs: int, outputs: int) -> Event:
    return {
        **HOP,
        "inputs": [f"{i:07d}" for i in range(inputs)],
        "outputs": [f"{i:07d}" for i in range(outputs)],
    }


@pytest.mark.parametrize(("inputs", "outputs"), [(1001, 1000), (1, 1_000_001), (1_000_001, 0)])
def test_a_hop_that_would_be_too_many_arrivals_is_a_dead_letter(
    tmp_path: Path, inputs: int, outputs: int
) -> None:
    event = hop(inputs, outputs)
    twice = {**event, "inputs": event["inputs"] * 2, "outputs": event["outputs"] * 2}
    for one in (event, twice):
        (reason,) = reasons(from_events([HOP, one, HOP])).values()
        assert reason.startswith(f"a hop of {inputs:,} inputs and {outputs:,} outputs would be ")
        assert reason.endswith("at most 1,000,000 are read; split it into several hops")
        with pytest.raises(EncodeError, match="split it into several hops"):
            Encoder(IDS).encode(one)
    raw = io.BytesIO()
    whole = {**event, "moved_at": 1_726_617_600_000_000}
    schemaless_writer(raw, PARSED["RecordsMoved"], whole)
    path = tmp_path / "a.avro"
    blocks = [block(1, datum(HOP))] * 100 + [block(1, raw.getvalue())]
    path.write_bytes(container(codec.RECORDS_MOVED, "null", *blocks))
    assert reasons(read(path)) == {101: reason}
    assert [(d.position, d.reason) for d in letters_of(path)] == [(101, reason)]
    values = [Encoder(IDS).encode(HOP), Encoder(IDS).encode(HOP)[:5] + raw.getvalue()]
    assert reasons(Decoder(IDS).decode(codec.RECORDS_MOVED.topic, 0, [1, 2], values)) == {2: reason}


@pytest.mark.parametrize(
    ("inputs", "outputs"), [(1_000_000, 0), (1_000_000, 1), (1, 1_000_000), (1000, 1000)]
)
def test_a_hop_at_the_bound_is_one(tmp_path: Path, inputs: int, outputs: int) -> None:
    event = hop(inputs, outputs)
    assert inputs * max(outputs, 1) == HOP_ARRIVALS_MAX
    codec.write_container(tmp_path / "a.avro", codec.RECORDS_MOVED, [event])
    (tmp_path / "b.jsonl").write_bytes(orjson.dumps(event))
    value = Encoder(IDS).encode({**event, "inputs": event["inputs"] + event["inputs"][:9]})
    for batch in (
        read(tmp_path / "a.avro"),
        read(tmp_path / "b.jsonl"),
        Decoder(IDS).decode(codec.RECORDS_MOVED.topic, 0, [1], [value]),
    ):
        assert (batch.hop_inputs.height, batch.hop_outputs.height) == (inputs, outputs)


def test_many_hops_at_the_bound_come_in_batches_of_their_own(tmp_path: Path) -> None:
    hops = [{**hop(1000, 1000), "hop_id": f"h{i}"} for i in range(6)]
    lines = [*hops[:3], MESSAGE, *hops[3:], CONSENT]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    batches = list(read_log(tmp_path / "a.jsonl"))
    assert all(weight_of(batch) <= BATCH_WEIGHT_MAX for batch in batches)
    assert [h for b in batches for h in b.hops["hop_id"]] == [f"h{i}" for i in range(6)]
    assert content(Batch.concat(batches)) == content(from_events(lines))


def huge_hop(ids: bytes, count: int) -> bytes:
    """The datum of a hop with these inputs."""
    start = b"\x04h1\x04r1\x0enightly\x00\x0ainbox\x12warehouse"
    return start + long(count) + ids + b"\0\0\0" + datum(CONSENT)[-8:]


@pytest.mark.parametrize("one", [b"\0", b"\x02a", b"\x04ab"])
def test_a_record_of_too_many_values_is_lost_alone(tmp_path: Path, one: bytes) -> None:
    count = 40 * MIB // len(one)
    path = tmp_path / "a.avro"
    good = block(1, datum(HOP))
    path.write_bytes(
        container(codec.RECORDS_MOVED, "null", good, block(1, huge_hop(one * count, count)), good)
    )
    peak, counts = apart(COUNT, path)
    assert counts == "2 1"
    assert peak < 700
    assert reasons(read(path)) == {
        2: "the record has more than 4,000,000 values; split a large hop into several"
    }


@pytest.mark.parametrize("one", [b"\0", b"\x02a"])
def test_a_kafka_value_takes_bounded_memory(tmp_path: Path, one: bytes) -> None:
    count = 15 * MIB // len(one)
    path = tmp_path / "value"
    path.write_bytes(b"\0\0\0\0\x02" + huge_hop(one * count, count))
    code = (
        "values = [Path(sys.argv[1]).read_bytes()] * 4\n"
        "decoder = codec.Decoder(codec.LocalIds())\n"
        "batch = decoder.decode('lineage.records.moved.v1', 0, range(4), values)\n"
        "print(batch.events, *sorted({d.reason for d in batch.dead_letters}))"
    )
    peak, printed = apart(code, path)
    assert printed.startswith("0 the value, with schema id 2, has more than 4,000,000 values")
    assert peak < 700


@pytest.mark.parametrize("value", [b"[]", b"{}", b'""', b"0"])
def test_a_line_of_too_many_values_is_lost_alone(tmp_path: Path, value: bytes) -> None:
    line = b'{"event": "RecordsMoved", "x": [' + b",".join([value] * (VALUES_MAX + 1)) + b"]}"
    good = orjson.dumps(HOP)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([good, line, good]))
    peak, counts = apart(COUNT, path)
    assert counts == "2 1"
    assert peak < 700
    assert "more than 4,000,000 values" in reasons(read(path))[2]
    assert "more than 4,000,000 values" in letters_of(path)[0].reason


def gz(*parts: bytes) -> bytes:
    return b"".join(map(gzip.compress, parts))


def test_blank_lines_cost_nearly_nothing_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    good = orjson.dumps(CONSENT) + b"\n"
    blank = b"\n" * (50 * MIB)
    path.write_bytes(gz(good, blank, good, b" \r\n" * (20 * MIB), good, b"\n", good[:-1]))
    batch = read(path)
    at = [1, 50 * MIB + 2, 70 * MIB + 3, 70 * MIB + 5]
    assert batch.consent_changes["position"].to_list() == at
    assert not batch.dead_letters


def test_very_many_short_lines_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    good = orjson.dumps(CONSENT) + b"\n"
    bad = b"x\n\n" * 3_000_000
    path.write_bytes(gz(good + bad + good + b"{\n"))
    batch = read(path)
    assert batch.consent_changes["position"].to_list() == [1, 6_000_002]
    *together, last = batch.dead_letters
    assert (last.position, last.reason[:8]) == (6_000_003, "not JSON")
    # By the MiB; a line that two of these share is told alone.
    told = [d for d in together if "are no events: each has less than 64 bytes" in d.reason]
    assert len(told) <= len(together) < 50
    assert told[0].reason.startswith("lines 2 to ")
    assert all(letter.value is None for letter in batch.dead_letters)


def test_few_short_lines_are_told_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"x\n" * 900)
    assert list(reasons(read(tmp_path / "a.jsonl"))) == list(range(1, 901))


def test_packed_lines_come_to_so_much_and_no_more(tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    path.write_bytes(gz(b"\n".join([b"x" * 100] * 5_000_000)))
    other.write_bytes(orjson.dumps(HOP))
    code = (
        "from lineage.codec.contract.limits import ReadLimits\n"
        "events = letters = 0\n"
        "few = ReadLimits(unpacked_ratio=20)\n"
        "for batch in codec.read_log(sys.argv[1], 50_000, limits=few):\n"
        "    events += batch.events; letters += len(batch.dead_letters)\n"
        "    for d in batch.dead_letters: told = d.reason if 'unpack' in d.reason else ''\n"
        "print(events, letters < 600_000, told or 'nothing')"
    )
    peak, printed = apart(code, tmp_path)
    assert printed.startswith("1 True the packed data unpacks to more than 20 times its bytes")
    assert peak < 700


def test_a_byte_order_mark_is_no_part_of_a_line(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + orjson.dumps(HOP) + b"\n" + orjson.dumps(CONSENT)
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "c.jsonl").write_bytes(b"\xef\xbb\xbf")
    batch = read(tmp_path)
    assert content(batch) == content(from_events([HOP, CONSENT, HOP, CONSENT]))
    assert not batch.dead_letters
    assert len(list(read_events(tmp_path))) == 4
    # Where files that begin with one are put together, it is before a later line.
    (tmp_path / "c.jsonl").write_bytes(data + b"\n" + data)
    assert (read(tmp_path / "c.jsonl").events, reasons(read(tmp_path / "c.jsonl"))) == (4, {})
    # Elsewhere it is none.
    (tmp_path / "c.jsonl").write_bytes(b" " + data)
    assert list(reasons(read(tmp_path / "c.jsonl"))) == [1]


def test_the_page_has_the_limits_as_they_are() -> None:
    page = (Path(__file__).parents[3] / "docs/limits.md").read_text(encoding="utf-8")
    read = limits.READ_LIMITS
    for said in (
        f"at most {limits.HOP_ARRIVALS_MAX:,}:",
        f"{limits.ID_BYTES_MAX} bytes of UTF-8",
        f"{limits.mib(read.line)}, and {limits.VALUES_MAX:,} values",
        f"{limits.mib(read.block)} unpacked",
        f"{read.unpacked_ratio} times its bytes and {limits.mib(read.unpacked_free)}",
        f"{limits.mib(limits.SCHEMA_BYTES_MAX)}, {limits.SCHEMA_TYPES_MAX:,} types",
        f"{limits.mib(limits.KEPT_BYTES_MAX)}; of a larger one",
    ):
        assert said in page


def test_only_a_hop_may_be_very_large() -> None:
    policy = {**POLICY, "document": "x" * (8 * MIB)}
    value = Encoder(LocalIds()).encode(policy)
    batch = Decoder(LocalIds()).decode("lineage.policy.published.v1", 0, [7, 8, 9], [value] * 3)
    assert batch.events == 0
    assert {letter.reason for letter in batch.dead_letters} == {
        "the value, with schema id 5, has more than 8 MiB, which only a hop may have"
    }

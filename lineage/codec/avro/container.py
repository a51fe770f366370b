"""Avro object container files: their header, and their blocks as far as they are whole."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import fastavro

from lineage.codec.avro.adapted import UNNAMED
from lineage.codec.avro.compression import CODECS, BlockError, TooLargeError
from lineage.codec.avro.logical_types import UnreadableSchemaError
from lineage.codec.avro.reader import Reader
from lineage.codec.avro.skip import long_at
from lineage.codec.contract.events import INPUTS, EventType
from lineage.codec.contract.limits import (
    KEPT_BYTES_MAX,
    READ_LIMITS,
    ReadLimits,
    mib,
)
from lineage.codec.errors import LogError
from lineage.codec.source_names import source_name
from lineage.codec.wire import datum_of

MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_HEADER_BYTES_MAX = 4 << 20
_UNREADABLE = (ValueError, IndexError, KeyError, UnicodeDecodeError, EOFError, RecursionError)
_HASHED_BYTES = 1 << 20
_FAILED_BYTES = 1 << 20


@dataclass(frozen=True)
class Block:
    """Some records of a file, or bytes of it that are none.

    first: index in the file of the first record, from 1. count: how many there are.
    data: their datums one after another; with a damage, the bytes as they lie in the file, if they
    are not too many. damage: why nothing of it can be read; None where it can be tried.
    sha256: of the bytes, with a damage. end: how far the file is read with it, in bytes.
    unpacked: how many bytes the file's blocks up to this one came to.
    """

    first: int
    count: int
    data: bytes
    damage: str | None
    end: int
    unpacked: int
    sha256: str = ""


class Container:
    """An object container file of one of the six events that are read.

    path: where it is, and source: the same as text. event: what it holds. reader: reads its datums.
    Raises LogError where the file is none.
    """

    def __init__(self, path: Path, limits: ReadLimits = READ_LIMITS) -> None:
        self.path = path
        self.source = source_name(path)
        self._limits = limits
        try:
            with path.open("rb") as file:
                start = file.read(_HEADER_BYTES_MAX)
        except OSError as error:
            raise LogError(f"{self.source} can't be read: {error.strerror}") from error
        if not start.startswith(MAGIC):
            raise LogError(
                f"{self.source} is not an Avro container file: it does not begin with Obj 1"
            )
        try:
            meta, self._start, self._sync = _header(start)
            schema = meta["avro.schema"].decode()
            record = json.loads(schema)
            name = str(record["name"]).rpartition(".")[2]
            fields = {str(f["name"]) for f in record["fields"]} if name == UNNAMED else set()
            codec = meta.get("avro.codec", b"null").decode()
        except (*_UNREADABLE, TypeError) as error:
            raise LogError(
                f"{self.source} has no whole Avro header with a record schema"
            ) from error
        self.event = _event(self.source, name, fields)
        if codec not in CODECS:
            known = ", ".join(CODECS)
            raise LogError(f"{self.source} is packed with codec {codec[:64]}; known are {known}")
        self._unpack = CODECS[codec]
        try:
            self.reader = Reader(self.event, schema)
        except UnreadableSchemaError as error:
            raise LogError(f"{self.source} can't be read by its schema: {error}") from None

    def blocks(self, after: Block | None = None) -> Iterator[Block]:
        """Yield the blocks in order; after a damage, go on behind the next sync marker.

        after: begins behind that one.
        """
        with (
            self.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            at, first = (after.end, after.first + after.count) if after else (self._start, 1)
            unpacked = after.unpacked if after else 0
            while at < len(data):
                block = self._block(data, at, first, unpacked)
                yield block
                at, first, unpacked = block.end, first + block.count, block.unpacked

    def _block(self, data: mmap.mmap, at: int, first: int, before: int) -> Block:
        frame = _frame(data, at)
        if frame is None:
            return self._damaged(data, at, first, 0, before)
        count, start, end = frame
        if data[end : end + _SYNC_BYTES] != self._sync and not self._goes_on(data, end):
            return self._damaged(data, at, first, count, before)
        behind = end + _SYNC_BYTES
        limits = self._limits
        left = limits.unpacked_free + limits.unpacked_ratio * behind - before
        most = max(0, min(limits.block, left))
        try:
            unpacked = self._unpacked(data, start, end, most)
        except TooLargeError:
            wrong, taken = _too_large(limits, by_ratio=most < limits.block), most
        except BlockError as error:
            # How much it came to before it failed is not known.
            wrong = str(error)
            taken = min(most, _FAILED_BYTES + limits.unpacked_ratio * (end - start))
        else:
            # There is no record without a byte, so a count that can't be is not believed.
            count = min(count, len(unpacked) + 1)
            return Block(first, count, unpacked, None, behind, before + len(unpacked))
        kept, sha256 = _bytes_of(data, start, end)
        count = max(1, min(count, end - start + taken))
        return Block(first, count, kept, wrong, behind, before + taken, sha256)

    def _unpacked(self, data: mmap.mmap, start: int, end: int, most: int) -> bytes:
        if end - start > self._limits.block:  # even packed, so its bytes need not be copied
            raise TooLargeError
        return self._unpack(data[start:end], most)

    def _goes_on(self, data: mmap.mmap, end: int) -> bool:
        """Say whether only the sync marker of a block is damaged, and another block follows."""
        following = _frame(data, end + _SYNC_BYTES)
        return following is not None and (
            data[following[2] : following[2] + _SYNC_BYTES] == self._sync
        )

    def _damaged(self, data: mmap.mmap, at: int, first: int, count: int, before: int) -> Block:
        end = data.find(self._sync, at)
        if end >= 0:
            what, behind = "the block's frame is damaged", end + _SYNC_BYTES
        elif _is_zeros(data, at):
            what = (
                f"the file ends in zero bytes, {len(data) - at:,} of them, which are no block; if "
                "it was not written to its end, records are lost"
            )
            kept, sha256 = _bytes_of(data, at, len(data))
            return Block(first, 0, kept, what, len(data), before, sha256)
        else:
            what, end, behind = "the file ends in the middle of a block", len(data), len(data)
        count = count if 0 < count <= end - at else 1
        kept, sha256 = _bytes_of(data, at, end)
        return Block(first, count, kept, what, behind, before, sha256)


def _is_zeros(data: mmap.mmap, at: int) -> bool:
    starts = range(at, len(data), _HASHED_BYTES)
    return not any(data[start : start + _HASHED_BYTES].strip(b"\0") for start in starts)


def _too_large(limits: ReadLimits, *, by_ratio: bool) -> str:
    if by_ratio:
        return (
            f"the file's blocks unpack to more than {limits.unpacked_ratio} times their bytes and "
            f"{mib(limits.unpacked_free)}; pack them with another codec, or write less to a file"
        )
    return f"the block has more than {mib(limits.block)} when it is unpacked; write smaller blocks"


def _bytes_of(data: mmap.mmap, start: int, end: int) -> tuple[bytes, str]:
    """Return some bytes of a file, none where they are too many, and their digest."""
    digest = hashlib.sha256()
    for at in range(start, end, _HASHED_BYTES):
        digest.update(data[at : min(at + _HASHED_BYTES, end)])
    return data[start:end] if end - start <= KEPT_BYTES_MAX else b"", digest.hexdigest()


def _frame(data: mmap.mmap, at: int) -> tuple[int, int, int] | None:
    """Return how many records the block at an offset has, and where its data begins and ends."""
    try:
        count, size_at = long_at(data, at)
        size, start = long_at(data, size_at)
    except IndexError:
        return None
    return (count, start, start + size) if count >= 0 and size >= 0 else None


def _event(source: str, name: str, fields: set[str]) -> EventType:
    for event in INPUTS:
        if event.name == name:
            return event
        # Spark names every record so, if it is not told otherwise.
        needed = {field.name for field in event.fields if not field.nullable}
        if name == UNNAMED and needed <= fields:
            return event
    names = ", ".join(event.name for event in INPUTS)
    raise LogError(f"{source} holds {name[:64]} records; an event log holds one of {names}")


def _header(start: bytes) -> tuple[dict[str, bytes], int, bytes]:
    """Return the metadata, where the blocks begin, and the sync marker."""
    meta: dict[str, bytes] = {}
    at = len(MAGIC)
    while True:
        count, at = long_at(start, at)
        if count == 0:
            break
        if count < 0:
            _, at = long_at(start, at)
        for _ in range(abs(count)):
            key, at = _bytes(start, at)
            meta[key.decode()], at = _bytes(start, at)
    sync = start[at : at + _SYNC_BYTES]
    if len(sync) < _SYNC_BYTES:
        raise EOFError
    return meta, at + _SYNC_BYTES, sync


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = long_at(data, at)
    if size < 0 or at + size > len(data):
        raise EOFError
    return data[at : at + size], at + size


def write_container(
    path: str | Path, event: EventType, events: Iterable[Mapping[str, object]]
) -> None:
    """Write events in the JSON spelling, all of one type, to a container file.

    The same events give the same bytes. Raises EncodeError where one breaks the contract; a
    file that was there before is then unharmed.
    """
    # A file's marker must be unlikely in its own data, no more: one for each type will do.
    sync = hashlib.sha256(event.schema.encode()).digest()[:_SYNC_BYTES]
    schema = fastavro.parse_schema(json.loads(event.schema))
    datums = (datum_of(event, value) for value in events)
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            fastavro.writer(file, schema, datums, codec="null", sync_marker=sync)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

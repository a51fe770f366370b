"""Runs work in a second process, which shares neither Python's lock nor the memory map.

In two threads of one process, decoding and applying take a fifth to a third longer than alone.
"""

from __future__ import annotations

import pickle
import signal
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa

from lineage.errors import DecoderProcessError

Item = TypeVar("Item")

# The second process's main. Printed text must not get between the answers, not even that of
# libraries in C: DuckDB shows the progress of a slow query where the main module has no file, as
# here.
_MAIN = (
    "import os, sys; answers = os.fdopen(os.dup(1), 'wb'); os.dup2(2, 1); sys.path[:] = {path!r}; "
    "from lineage.ingest.decoder_process import serve; serve(answers, {modules!r})"
)
_COUNT = struct.Struct("<Q")
# Alignment in bytes that Arrow and numpy want for their data.
_ALIGNED = 64
# A larger pipe, where the system has one (Linux), is fewer turns between the two.
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


@dataclass(frozen=True)
class _Raised:
    error: BaseException
    traceback: str


@dataclass(frozen=True)
class _End:
    """The end of the items."""


class DecoderProcess:
    """A process that runs functions of modules that it can import, one at a time.

    Arguments and results are pickled, arrays and tables without a copy more than the pipe's. Use
    the process from one thread at a time, and `close` it. The process ends when its parent does.
    """

    def __init__(self, *modules: str) -> None:
        """Start the process.

        modules: those that it imports at once, so that the first call need not wait for that.
        """
        command = [sys.executable, "-c", _MAIN.format(path=sys.path, modules=modules)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 -- this Python, and our own module
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("pipes were asked for")
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]  # IO[bytes] of a pipe
        self._answers: BinaryIO = self._process.stdout  # type: ignore[assignment]  # IO[bytes] of a pipe
        for pipe in (self._requests, self._answers):
            _widen(pipe)

    @property
    def ended(self) -> bool:
        """Say whether the process has ended."""
        return self._process.poll() is not None

    def check(self) -> None:
        """Raise DecoderProcessError if the process has ended."""
        if self.ended:
            raise self._gone()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def call(self, function: Callable[..., Item], *arguments: object) -> Item:
        """Return the result of `function(*arguments)` there; raise as `items` does."""
        answer: Item
        (answer,) = self.items(_called, function, arguments)
        return answer

    def items(self, function: Callable[..., Iterable[Item]], *arguments: object) -> Iterator[Item]:
        """Yield the items of `function(*arguments)` there; raise the errors that it raises.

        The process makes the next item at once, and waits with it until this one is taken
        (backpressure). Take all items. Raises DecoderProcessError if the process ends meanwhile.
        """
        try:
            _send(self._requests, (function, arguments))
        except BrokenPipeError:
            raise self._gone() from None
        while not isinstance(answer := self._answer(), _End):
            if isinstance(answer, _Raised):
                raise answer.error from RuntimeError(answer.traceback)
            yield answer

    def _answer(self) -> Any:  # noqa: ANN401 -- whatever was sent
        try:
            return _receive(self._answers)
        except EOFError:
            raise self._gone() from None

    def _gone(self) -> DecoderProcessError:
        return DecoderProcessError(
            f"the process that decodes ended with code {self._process.wait()}; what was "
            "committed is safe, and the rest can be read again"
        )


def serve(answers: BinaryIO, modules: Sequence[str] = ()) -> None:
    """Answer requests on stdin until it ends; the main function of the second process."""
    # Ctrl-C, and a signal to all processes of a service, reach both; the first process decides.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # The system's allocator returns the memory of a batch; Arrow's own keeps a good part of it.
    pa.set_memory_pool(pa.system_memory_pool())
    requests, sys.stdout = sys.stdin.buffer, sys.stderr
    for module in modules:
        import_module(module)
    with suppress(EOFError, BrokenPipeError):
        while True:
            function, arguments = _receive(requests)
            try:
                for answer in function(*arguments):
                    _send(answers, answer)
                _send(answers, _End())
            except BrokenPipeError:
                raise
            except Exception as error:
                _send(answers, _Raised(_portable(error), traceback.format_exc()))
    with suppress(BrokenPipeError):
        answers.close()


def _called(function: Callable[..., Item], arguments: tuple[Any, ...]) -> Iterator[Item]:
    yield function(*arguments)


def _portable(error: Exception) -> Exception:
    """Return the error, or one that can be pickled in the place of one that cannot."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own
    except Exception:
        return RuntimeError(f"an unexpected {type(error).__name__}")
    return error


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:  # noqa: ANN401 - inherited
        if isinstance(value, pl.DataFrame):
            # As Arrow, whose buffers need not be copied into the pickle.
            return pl.from_arrow, (value.to_arrow(),)
        if isinstance(value, MappingProxyType):
            return _read_only, (dict(value),)
        return NotImplemented


def _read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    # The type itself cannot be pickled by its name.
    return MappingProxyType(values)


def _send(pipe: BinaryIO, value: object) -> None:
    """Write a pickle, and after it the buffers that it refers to."""
    buffers: list[memoryview] = []

    def apart(buffer: pickle.PickleBuffer) -> None:
        buffers.append(buffer.raw())

    body = BytesIO()
    _Pickler(body, protocol=5, buffer_callback=apart).dump(value)
    parts = [body.getbuffer(), *buffers]
    pipe.write(b"".join(_COUNT.pack(number) for number in (len(parts), *map(len, parts))))
    for part in parts:
        pipe.write(part)
    pipe.flush()


def _receive(pipe: BinaryIO) -> Any:  # noqa: ANN401 -- whatever was sent
    """Read a value that `_send` wrote. Raises EOFError at the end."""
    (count,) = _COUNT.unpack(_exactly(pipe, _COUNT.size))
    sizes = [size for (size,) in _COUNT.iter_unpack(_exactly(pipe, count * _COUNT.size))]
    starts = np.cumsum([0, *(-(-size // _ALIGNED) * _ALIGNED for size in sizes)])
    memory = np.empty(int(starts[-1]), dtype=np.uint8).data
    parts = [memory[start : start + size] for start, size in zip(starts, sizes, strict=False)]
    for part in parts:
        _fill(pipe, part)
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 -- of our own process


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    read = pipe.read(size)
    if len(read) < size:
        raise EOFError
    return read


def _fill(pipe: BinaryIO, part: memoryview) -> None:
    at = 0
    while at < len(part):
        read = pipe.readinto(part[at:])  # type: ignore[attr-defined]  # every binary file has it
        if not read:
            raise EOFError
        at += read


def _widen(pipe: BinaryIO) -> None:
    if sys.platform == "linux":
        import fcntl  # not on every system

        with suppress(OSError):  # it may be more than a user is allowed
            fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, _PIPE_BYTES)

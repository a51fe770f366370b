"""What a second process makes comes back as it is, errors too, and it ends with the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from lineage.errors import DecoderProcessError
from lineage.ingest.decoder_process import DecoderProcess


def counted(count: int) -> Iterator[int]:
    yield from range(count)


def own_values() -> Iterator[Any]:
    yield MappingProxyType({"aggregate": 10})
    yield np.arange(6, dtype=np.uint64).reshape(3, 2)
    yield pl.DataFrame(
        {"text": ["a", None, "ä"], "at": [1, 2, 3]}, schema_overrides={"at": pl.UInt8}
    )
    yield pa.array(["x", "yy"])


def printing() -> Iterator[str]:
    print("between the answers")
    os.write(1, b"as a library in C would")
    yield "an answer"


def failing() -> Iterator[int]:
    yield 1
    raise ValueError("the second is none")


class AwkwardError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def failing_like_a_pipe() -> Iterator[int]:
    yield from ()
    raise EOFError("of its own")


def failing_awkwardly() -> Iterator[int]:
    yield from ()
    raise AwkwardError("cannot ", "be pickled")


def not_picklable() -> Iterator[object]:
    yield 1
    yield memoryview(b"no pickle has it")


def quitting() -> Iterator[int]:
    yield 1
    os.kill(os.getpid(), signal.SIGKILL)


def loaded(module: str) -> bool:
    return module in sys.modules


@pytest.fixture
def process() -> Iterator[DecoderProcess]:
    with closing(DecoderProcess()) as process:
        yield process


@pytest.mark.slow
def test_items_come_in_order_one_request_after_the_other(process: DecoderProcess) -> None:
    assert list(process.items(counted, 1000)) == list(range(1000))
    assert list(process.items(counted, 0)) == []
    assert list(process.items(counted, 2)) == [0, 1]


@pytest.mark.slow
def test_arrays_and_tables_come_as_they_are(process: DecoderProcess) -> None:
    expected = list(own_values())
    policy, numbers, table, texts = process.items(own_values)
    assert policy == expected[0]
    assert type(policy) is MappingProxyType
    assert np.array_equal(numbers, expected[1])
    assert numbers.dtype == np.uint64
    assert table.equals(expected[2])
    assert table.schema == expected[2].schema
    assert texts.equals(expected[3])


@pytest.mark.slow
def test_what_is_printed_there_does_not_get_between(
    process: DecoderProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    assert list(process.items(printing)) == ["an answer"]
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_an_error_comes_after_the_items_before_it(process: DecoderProcess) -> None:
    items = process.items(failing)
    assert next(items) == 1
    with pytest.raises(ValueError, match=r"^the second is none$") as caught:
        next(items)
    assert "in failing" in str(caught.value.__cause__)
    assert list(process.items(counted, 2)) == [0, 1]


@pytest.mark.slow
def test_an_error_that_an_ended_pipe_would_raise_is_its_own(process: DecoderProcess) -> None:
    with pytest.raises(EOFError, match="of its own"):
        list(process.items(failing_like_a_pipe))
    assert list(process.items(counted, 2)) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("function", [failing_awkwardly, not_picklable])
def test_what_cannot_be_sent_is_an_error_as_well(
    process: DecoderProcess, function: Callable[[], Iterator[object]]
) -> None:
    with pytest.raises((RuntimeError, TypeError)) as caught:
        list(process.items(function))
    assert type(caught.value) in (RuntimeError, TypeError)
    assert list(process.items(counted, 2)) == [0, 1]


@pytest.mark.slow
def test_an_end_of_the_process_is_told(process: DecoderProcess) -> None:
    items = process.items(quitting)
    assert next(items) == 1
    with pytest.raises(DecoderProcessError, match="ended with code -9"):
        next(items)
    with pytest.raises(DecoderProcessError):
        list(process.items(counted, 1))


@pytest.mark.slow
def test_it_ends_when_the_first_process_is_killed() -> None:
    program = (
        "import sys; from lineage.ingest.decoder_process import DecoderProcess; "
        "process = DecoderProcess(); "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        first.kill()
        # The second has inherited it, and it stays open until both have ended.
        assert first.communicate(timeout=30)[1] == b""


@pytest.mark.slow
def test_modules_are_imported_before_the_first_call() -> None:
    with closing(DecoderProcess("wave")) as with_it, closing(DecoderProcess()) as without:
        assert with_it.call(loaded, "wave")
        assert not without.call(loaded, "wave")

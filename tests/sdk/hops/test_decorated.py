"""Hops by decorator: functions, coroutines, generators, agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import faust
import numpy as np
import pytest

import lineage_sdk
from lineage_sdk import EventError, hop
from tests.sdk.jobs import Reported, reporting

Batch = dict[str, Any]
Row = dict[str, str]
copied = partial(hop, "raw", "corpus", ids=lambda batch: batch["id"])


def rows(*ids: str) -> list[Row]:
    return [{"id": one} for one in ids]


def test_a_function_of_a_batch(reported: Reported) -> None:
    @copied("TRANSFORM")
    def clean(batch: Batch) -> Batch:
        """Clean it."""
        return {"text": batch.pop("id")}  # what was read is known before it is changed

    assert clean({"id": ["1", "2"]}) == {"text": ["1", "2"]}
    assert clean.__name__ == "clean"
    assert clean.__doc__ == "Clean it."
    (one,) = reported.hops()
    assert (one["inputs"], one["outputs"], one["operation"]) == (["1", "2"], [], "TRANSFORM")


def test_a_method_and_its_arguments(reported: Reported) -> None:
    class Job:
        @hop("a", "b", ids=lambda job, batch: batch["id"], outputs=lambda result: result)
        def run(self, batch: Batch, index: list[int]) -> list[str]:
            return [f"{one}-{at}" for one, at in zip(batch["id"], index, strict=True)]

    assert Job().run({"id": ["1"]}, index=[7]) == ["1-7"]
    assert reported.flows() == {("1", "1-7")}


def test_pairs_of_arguments_and_result(reported: Reported) -> None:
    @hop("a", "b", pairs=lambda result, batch: zip(batch, result, strict=True))
    def renamed(batch: list[str]) -> list[str]:
        return [one.upper() for one in batch]

    renamed(["x", "y"])
    assert reported.flows() == {("x", "X"), ("y", "Y")}


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ([True, False, True], {"1", "3"}),
        (np.array([False, True, False]), {"2"}),
        (True, {"1", "2", "3"}),
        (False, set()),
        (None, set()),
    ],
)
def test_a_filter(reported: Reported, answer: object, kept: set[str]) -> None:
    @copied("COPY", filter=True)
    def fits(batch: Batch) -> object:
        return answer

    assert fits({"id": ["1", "2", "3"]}) is answer
    assert reported.flows() == {(one, one) for one in kept}


def test_what_fails_did_not_move(reported: Reported) -> None:
    @copied()
    def fails(batch: Batch) -> None:
        raise KeyError("the job's own")

    with pytest.raises(KeyError, match="the job's own"):
        fails({"id": ["1"]})
    assert reported.hops() == []


def test_a_coroutine(reported: Reported) -> None:
    @copied()
    async def load(batch: Batch) -> int:
        await asyncio.sleep(0)
        return len(batch["id"])

    async def both() -> list[int]:
        return [*await asyncio.gather(load({"id": ["1"]}), load({"id": ["2", "3"]}))]

    assert asyncio.run(both()) == [1, 2]
    assert [one["inputs"] for one in reported.hops()] == [["1"], ["2", "3"]]


def test_a_loop_over_items(reported: Reported) -> None:
    seen: list[int] = []

    @hop("a", "b", ids=lambda row: row["id"])
    def loop(rows: Iterable[Row]) -> Iterator[str]:
        for row in rows:
            seen.append(len(reported.hops()))
            yield row["id"]

    assert list(loop(rows("1", "2", "3"))) == ["1", "2", "3"]
    # Each is reported when the next is asked for.
    assert seen == [0, 1, 2]
    assert [one["inputs"] for one in reported.hops()] == [["1"], ["2"], ["3"]]


def test_a_loop_that_fans_out_and_gathers(reported: Reported) -> None:
    @hop("a", "b", ids=lambda row: row["id"], outputs=lambda out: out)
    def loop(rows: Iterable[Row]) -> Iterator[str]:
        held: list[str] = []
        for row in rows:
            held.append(row["id"])
            if row["id"] == "one":
                yield "o-1"
                yield "o-2"
                held = []
            elif len(held) == 2:
                yield "+".join(held)
                held = []

    assert len(list(loop(rows("one", "2", "3", "4")))) == 3
    wanted = {("one", "o-1"), ("one", "o-2"), ("2", "2+3"), ("3", "2+3")}
    assert reported.flows() == wanted  # of 4 nothing came out


class Stream:
    """A stream with ways of its own to be read."""

    current = "event"

    def __init__(self, items: list[Row]) -> None:
        self.items_ = items

    async def __aiter__(self) -> AsyncIterator[Row]:
        for item in self.items_:
            await asyncio.sleep(0)
            yield item

    async def take(self, count: int, within: float) -> AsyncIterator[list[Row]]:
        yield self.items_[:count]


def test_an_agent_of_a_stream(reported: Reported) -> None:
    @hop("a", "b", ids=lambda row: row["id"])
    async def agent(stream: Any) -> None:
        assert stream.current == "event"
        async for row in stream:
            if row["id"] == "bad":
                raise KeyError("the agent's own")

    asyncio.run(agent(Stream(rows("1", "2"))))
    assert reported.flows() == {("1", "1"), ("2", "2")}
    with pytest.raises(KeyError, match="the agent's own"):
        asyncio.run(agent(Stream(rows("3", "bad"))))
    assert reported.flows() == {("1", "1"), ("2", "2"), ("3", "3")}


def test_an_agent_of_batches(reported: Reported) -> None:
    @hop("a", "b", ids=lambda batch: [row["id"] for row in batch])
    async def agent(stream: Any) -> None:
        async for _ in stream.take(2, within=1):
            pass

    asyncio.run(agent(Stream(rows("1", "2", "3"))))
    assert [one["inputs"] for one in reported.hops()] == [["1", "2"]]


def test_an_agent_of_faust(reported: Reported) -> None:
    loop = asyncio.new_event_loop()
    app = faust.App("sdk-test", store="memory://", cache="memory://", loop=loop)
    topic: Any = app.topic("messages")

    @app.agent(topic)
    @hop("messages", "features", ids=lambda row: row["id"], outputs=lambda out: out)
    async def features(stream: Any) -> AsyncIterator[str]:
        async for row in stream:
            yield f"f-{row['id']}"

    async def fed() -> None:
        async with features.test_context() as agent:
            for one in ("1", "2", "3"):
                await agent.put({"id": one})
            assert agent.results == {0: "f-1", 1: "f-2", 2: "f-3"}

    loop.run_until_complete(fed())
    loop.close()
    # The last is still in hand: its agent did not ask for another.
    assert {("1", "f-1"), ("2", "f-2")} <= reported.flows() <= {(n, f"f-{n}") for n in "123"}


async def _consumed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


def _broken(_: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize("what", ["ids", "outputs", "pairs"])
def test_a_wrong_reader_never_stops_the_job(tmp_path: Path, what: str) -> None:
    arguments: dict[str, Any] = {"ids": lambda one: one, what: _broken}

    @hop("a", "b", **arguments)
    def plain(one: str) -> str:
        return one

    @hop("a", "b", **arguments)
    async def coroutine(one: str) -> str:
        return one

    @hop("a", "b", **arguments)
    def generator(items: Iterable[str]) -> Iterator[str]:
        yield from items

    @hop("a", "b", **arguments)
    async def stream(items: Iterable[str]) -> AsyncIterator[str]:
        for item in items:
            yield item

    awaited: Callable[[str], Awaitable[str]] = coroutine
    with reporting(tmp_path):
        assert plain("1") == "1"
        assert asyncio.run(_value(awaited("1"))) == "1"
        assert list(generator(["1", "2"])) == ["1", "2"]
        assert asyncio.run(_consumed(stream(["1", "2"]))) == ["1", "2"]
        assert lineage_sdk.counters().refused == 6
    with reporting(tmp_path, strict=True), pytest.raises(EventError, match="ZeroDivisionError"):
        plain("1")


async def _value(awaitable: Awaitable[str]) -> str:
    return await awaitable

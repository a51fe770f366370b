"""Hops by decorator: functions, coroutines, generators, and agents of streams.

A function or coroutine is a hop for each call. What reads a stream (a generator, or an agent, whose
first argument is an async iterable) is a hop for each item: when it asks for the next one, it is
done with the one before.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, cast

from ..delivery.current import emitter
from .columns import ids_of
from .hop import Hop

Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = tuple[Any, ...]
# Ways of a Faust stream to be read: each gives an async iterator, too.
_VIEWS = frozenset({"take", "noack_take", "events", "items", "filter", "through", "group_by"})


def decorated(hop: Hop, function: Function) -> Function:
    """Return the function with a hop around each call, or around each item that it reads."""
    if inspect.isasyncgenfunction(function):
        wrapper: Any = _async_generator(hop, function)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(hop, function)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(hop, function)
    else:
        wrapper = _plain(hop, function)
    return cast(Function, functools.wraps(function)(wrapper))


def _plain(hop: Hop, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function's
        moved = _Move(hop)
        moved.read(args)
        result = function(*args, **kwargs)
        moved.wrote(args, result)
        moved.done()
        return result

    return call


def _coroutine(hop: Hop, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function's
        if args and hasattr(args[0], "__aiter__"):
            move = _Move(hop, streams=True)
            result = await function(*_watched_first(args, move), **kwargs)
            move.done()
            return result
        move = _Move(hop)
        move.read(args)
        result = await function(*args, **kwargs)
        move.wrote(args, result)
        move.done()
        return result

    return call


def _generator(hop: Hop, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Iterator[Any]:  # noqa: ANN401 - as the function's
        move = _Move(hop, streams=True)
        for value in function(*_watched_first(args, move), **kwargs):
            move.wrote((), value)
            yield value
        move.done()

    return call


def _async_generator(hop: Hop, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - as above
        move = _Move(hop, streams=True)
        async with aclosing(function(*_watched_first(args, move), **kwargs)) as values:
            async for value in values:
                move.wrote((), value)
                yield value
        move.done()

    return call


def _watched_first(args: Arguments, move: _Move) -> Arguments:
    """Return arguments whose first one, an iterable of either kind, tells what is read of it."""
    if args and hasattr(args[0], "__aiter__"):
        return (_AsyncStream(args[0], move), *args[1:])
    if args and hasattr(args[0], "__iter__"):
        return (_watched(args[0], move), *args[1:])
    emitter().warn("a decorated generator has no stream as its first argument: nothing is reported")
    return args


def _watched(items: Any, move: _Move) -> Iterator[Any]:  # noqa: ANN401 - an iterable of anything
    for item in items:
        move.next_item(item)
        yield item


class _AsyncStream:
    """A stream that tells which item is read; all else is the stream's own."""

    def __init__(self, stream: Any, move: _Move) -> None:  # noqa: ANN401 - of any kind
        self._stream = stream
        self._move = move

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        found = getattr(self._stream, name)
        if name not in _VIEWS:
            return found

        def view(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the stream's
            return _AsyncStream(found(*args, **kwargs), self._move)

        return view

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for item in self._stream:
            self._move.next_item(item)
            yield item


class _Move:
    """What one call, or one item of a stream, moves. No error of its own leaves it."""

    def __init__(self, hop: Hop, *, streams: bool = False) -> None:
        self._options = hop.options
        self._hop = hop.fresh()
        self._streams = streams
        self._off = emitter().settings.disabled
        self._inputs: list[Any] = []  # ids of each item since the last output
        self._outputs: list[Any] = []

    def read(self, args: Arguments) -> None:
        """Take the ids of the input, before the function may change it."""
        ids = self._options["ids"]
        if ids is not None and not self._off:
            self._guarded(lambda: self._inputs.append(_held(_called(ids, args))))

    def next_item(self, item: Any) -> None:  # noqa: ANN401 - as the stream has them
        """Be done with the item before, and take the next one."""
        if self._options["outputs"] is None or self._outputs:
            self.done()
        self.read((item,))

    def wrote(self, args: Arguments, result: Any) -> None:  # noqa: ANN401 - as the function's
        """Take the ids of a result."""
        if self._off:
            return
        outputs, pairs = self._options["outputs"], self._options["pairs"]
        if pairs is not None:
            self._guarded(lambda: self._hop.pairs(_called(pairs, (result, *args))))
        if outputs is not None:
            self._guarded(lambda: self._outputs.append(_held(_called(outputs, (result, *args)))))
        if self._options["filter"] and not self._streams:
            self._guarded(lambda: self._choose(result))

    def _choose(self, result: Any) -> None:  # noqa: ANN401 - as above
        self._inputs = [_chosen(ids, result) for ids in self._inputs]

    def done(self) -> None:
        """Report what moved."""
        inputs, outputs = self._inputs, self._outputs
        self._inputs, self._outputs = [], []
        if self._options["outputs"] is None:
            for ids in inputs:
                self._hop.keep(ids)
        elif inputs and outputs:
            self._hop.derive(_joined(inputs), _joined(outputs))
        self._hop.report()

    def _guarded(self, take: Callable[[], object]) -> None:
        try:
            take()
        except Exception as error:  # whatever it is, the job goes on
            emitter().refuse(f"{type(error).__name__}: {error}", self._options["strict"])


def _called(function: Callable[..., Any], args: Arguments) -> Any:  # noqa: ANN401 - what holds ids
    """Call a function of the caller's with as many arguments as it takes."""
    return function(*args[: _count(function)])


@functools.lru_cache(maxsize=256)
def _count(function: Callable[..., Any]) -> int | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # one of C, such as itemgetter
        return 1
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return None
    return sum(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters)


def _held(ids: Any) -> Any:  # noqa: ANN401 - what holds ids
    """Copy what the function could change or use up."""
    return list(ids) if isinstance(ids, (list, Iterator)) else ids


def _joined(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - as above
    return parts[0] if len(parts) == 1 else [one for part in parts for one in ids_of(part)]


def _chosen(ids: Any, result: Any) -> Any:  # noqa: ANN401 - as above
    """Return the ids that a filter let through."""
    found = ids_of(ids)
    if isinstance(result, bool) or not hasattr(result, "__iter__"):
        return found if result else []
    values = result.tolist() if hasattr(result, "tolist") else list(result)
    return [one for one, goes_on in zip(found, values, strict=True) if goes_on]

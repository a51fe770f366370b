"""Puts the records that a Kafka record is into its headers."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, MutableSequence
from typing import Any, TypeVar, cast

from ..delivery.current import emitter
from .record import RECORD_CUT_HEADER, RECORD_HEADER, Record, spelled

Shape = TypeVar("Shape")
_OURS = (RECORD_HEADER, RECORD_CUT_HEADER)


def inject(headers: Shape, record: tuple[str, str] | Iterable[tuple[str, str]]) -> Shape:
    """Return headers that say which record a Kafka record is, or which records it holds.

    headers: a dict or a list, which is changed; a tuple; or None, for a new list. What an earlier
    `inject` said is replaced. record: (dataset, record id), or several of these.
    """
    if emitter().settings.disabled:
        return headers
    try:
        return cast(Shape, _injected(headers, record))
    except Exception as error:  # whatever it is, the job goes on
        emitter().refuse(f"headers stay as they are: {type(error).__name__}: {error}")
        return headers


def _injected(headers: Any, record: Any) -> Any:  # noqa: ANN401 - as above
    one = isinstance(record, tuple) and len(record) == 2 and isinstance(record[0], str)
    value, cut = spelled(Record(*each) for each in ([record] if one else record))
    new: list[tuple[str, bytes]] = [(RECORD_HEADER, value.encode())]
    if cut:
        new.append((RECORD_CUT_HEADER, str(cut).encode()))
    if isinstance(headers, MutableMapping):
        for name in _OURS:
            headers.pop(name, None)
        headers.update(new)
        return headers
    kept = [item for item in headers or () if item[0] not in _OURS]
    if isinstance(headers, MutableSequence):
        headers[:] = [*kept, *new]
        return headers
    return (*kept, *new) if isinstance(headers, tuple) else [*kept, *new]

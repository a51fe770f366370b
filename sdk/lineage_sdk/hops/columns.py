"""Record ids from whatever holds them: lists, columns of data frames, rows of a cursor.

A column gives its values itself (`tolist`, `to_pylist`, `to_list`): no loop here walks over ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from numbers import Integral
from operator import itemgetter
from typing import Any

# How a column gives its values: Arrow; numpy, pandas and array; polars.
_WHOLE = ("to_pylist", "tolist", "to_list")
_ONE = (str, bytes, int)


def ids_of(values: Any) -> list[str]:  # noqa: ANN401 - whatever holds ids
    """Return record ids as texts, each once, in their order (sets: sorted).

    values: one id; an iterable of ids; a column of numpy, Arrow, polars or pandas; or a cursor, of
    whose rows the first column counts. Integers and UUIDs become their usual text. Anything else
    (null, numbers with a fraction) stays as it is, so that the contract refuses it. Raises
    TypeError where it holds no values.
    """
    if isinstance(values, _ONE) or _is_uuid(type(values)):
        return _texts([values])
    found = _values(values)
    if found and isinstance(found[0], tuple):
        found = list(map(itemgetter(0), found))
    texts = _texts(found)
    return sorted(texts) if isinstance(values, Set) and _all_texts(texts) else texts


def pairs_of(rows: Any, outputs: Any = None) -> list[tuple[str, str]]:  # noqa: ANN401 - as above
    """Return (input, output) pairs of ids, each once.

    rows: a cursor or an iterable of rows of two; or with `outputs` two columns of one length.
    Raises TypeError or ValueError where these are no pairs.
    """
    if outputs is None:
        found = [(one, other) for one, other in _values(rows)]
        left, right = [one for one, _ in found], [other for _, other in found]
    else:
        left, right = _values(rows), _values(outputs)
    if len(left) != len(right):
        raise ValueError(f"{len(left):,} inputs and {len(right):,} outputs make no pairs")
    return list(dict.fromkeys(zip(_spelled(left), _spelled(right), strict=True)))


def _values(values: Any) -> list[Any]:  # noqa: ANN401 - as above
    fetch = getattr(values, "fetchall", None)
    if fetch is not None:
        return list(fetch())
    for name in _WHOLE:
        method = getattr(values, name, None)
        if method is not None:
            found = method()
            return found if isinstance(found, list) else [found]
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise TypeError(f"{type(values).__name__} holds no record ids")
    return list(values)


def _texts(values: list[Any]) -> list[str]:
    try:
        return list(dict.fromkeys(_spelled(values)))
    except TypeError:  # lists in it, say: the contract refuses them
        return values


def _spelled(values: list[Any]) -> list[str]:
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds and all(_countable(kind) for kind in kinds):
        return list(map(str, values))
    return [str(value) if _countable(type(value)) else value for value in values]


def _countable(kind: type) -> bool:
    return (kind is not bool and issubclass(kind, (str, Integral))) or _is_uuid(kind)


def _is_uuid(kind: type) -> bool:
    # By name: a job that has no UUIDs need not import the module for them.
    return kind.__name__ == "UUID" and kind.__module__ == "uuid"


def _all_texts(values: list[Any]) -> bool:
    return set(map(type, values)) <= {str}

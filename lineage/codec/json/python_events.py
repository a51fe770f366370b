"""Events as Python has them, in the JSON spelling: sets and other iterables as arrays of ids.

The contract of logs and topics stays: there `inputs` and `outputs` are arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lineage.codec.contract.events import RECORDS_MOVED

_ARRAYS: Final = ("inputs", "outputs")
_NO_ARRAYS: Final = (str, bytes, bytearray, list, Mapping)


def in_json_spelling(event: Mapping[str, object]) -> Mapping[str, object]:
    """Return an event whose inputs and outputs are lists; anything else as it is.

    A hop without outputs, or with None, is one whose inputs keep their ids.
    """
    if not isinstance(event, Mapping) or event.get("event") != RECORDS_MOVED.name:
        return event
    if event.get("outputs") is not None and all(
        isinstance(event.get(name), _NO_ARRAYS) for name in _ARRAYS
    ):
        return event
    given = {**event, "outputs": [] if event.get("outputs") is None else event["outputs"]}
    for name in _ARRAYS:
        value = given.get(name)
        if isinstance(value, Iterable) and not isinstance(value, _NO_ARRAYS):
            given[name] = list(value)
    return given

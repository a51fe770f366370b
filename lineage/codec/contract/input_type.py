"""Tells which event somebody means, and words why it is none that is read."""

from __future__ import annotations

from collections.abc import Mapping

from .events import FLAG_RAISED, INPUTS, EventType
from .validate_event import json_type

_INPUTS = {event.name: event for event in INPUTS}
_NAMES = ", ".join(_INPUTS)


def input_type(event: object) -> EventType | str:
    """Return the type of an event in the JSON spelling, of those that are read; or why it is none.

    Only "event" is looked at: `wrong_with` says what is wrong with the rest.
    """
    if not isinstance(event, Mapping):
        return f'must be an object with "event", not {json_type(event)}'
    if "event" not in event:
        return f'"event" is missing; it must be one of {_NAMES}'
    name = event["event"]
    if name == FLAG_RAISED.name:
        return f'"event" must be one of {_NAMES}; {name} is produced, not read'
    if not isinstance(name, str) or name not in _INPUTS:
        return f'"event" must be one of {_NAMES}'
    return _INPUTS[name]

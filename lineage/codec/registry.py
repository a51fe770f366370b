"""Schema registries: look up the text of a schema by the id in a Kafka value."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from lineage.codec.contract.events import EventType
from lineage.codec.errors import RegistryError, UnknownSchemaError

_PACKAGED = Path(str(files("lineage.schemas") / "ids.json"))


class Registry(Protocol):
    """A source of schemas by id; as a string, its name in a sentence."""

    def schema_of(self, schema_id: int) -> str:
        """Return the text of the schema; raise UnknownSchemaError if none has this id."""

    def id_of(self, event: EventType) -> int:
        """Return the id of the event's present schema, with which events are written."""


class LocalIds:
    """A registry that is a file: a table of ids, with the schemas in files of the same folder.

    path: JSON such as {"1": {"subject": "messaging.message.sent.v1-value", "version": 1,
    "file": "message_sent.avsc"}}; without one the table of this package. RegistryError where
    the table or a schema can't be read.
    """

    def __init__(self, path: str | Path = _PACKAGED) -> None:
        self._path = Path(path)
        self._schemas: dict[int, str] = {}
        self._subjects: dict[int, str] = {}
        try:
            table = json.loads(self._path.read_text(encoding="utf-8"))
            for key, entry in table.items():
                text = (self._path.parent / entry["file"]).read_text(encoding="utf-8")
                self._schemas[int(key)] = text
                self._subjects[int(key)] = entry["subject"]
        except OSError as error:
            raise RegistryError(
                f"schema ids: {error.filename or path} can't be read ({error.strerror})"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RegistryError(
                f'schema ids: {path} must be JSON such as {{"1": {{"subject": "<topic>-value", '
                f'"version": 1, "file": "message_sent.avsc"}}}}'
            ) from error

    def __str__(self) -> str:
        if self._path == _PACKAGED:
            return "the table of ids that comes with this program"
        return f"the table of schema ids {self._path}"

    def schema_of(self, schema_id: int) -> str:
        """Return the text of the schema; raise UnknownSchemaError if the table has no such id."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchemaError(unknown(schema_id)) from None

    def id_of(self, event: EventType) -> int:
        """Return the id of the event's present schema; raise RegistryError if it is not there."""
        for schema_id, text in self._schemas.items():
            if self._subjects[schema_id] == event.subject and _same(text, event.schema):
                return schema_id
        raise RegistryError(
            f"schema ids: {self._path} has no id for {event.subject} with the present schema"
        )


def _same(text: str, other: str) -> bool:
    try:
        return bool(json.loads(text) == json.loads(other))
    except ValueError:
        return False


def unknown(schema_id: int) -> str:
    """Return the sentence for an id that no schema has."""
    return f"schema id {schema_id} is not registered"

"""Schema registries: from the id in a Kafka value to the text of the schema it was written with."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import RegistryError, UnknownSchemaError
from schemas.events import EventType

_PACKAGED = Path(__file__).parent / "ids.json"
_TIMEOUT_SECONDS = 10.0
_ANSWER_BYTES_MAX = 4 << 20
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class Registry(Protocol):
    """Something that knows schemas by id."""

    def schema_of(self, schema_id: int) -> str:
        """The text of the schema; UnknownSchemaError if there is none with this id."""

    def id_of(self, event: EventType) -> int:
        """The id of the event's present schema, with which it is written."""


class LocalIds:
    """A registry that is a file: a table of ids, with the schemas in files beside it.

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

    def schema_of(self, schema_id: int) -> str:
        """The text of the schema; UnknownSchemaError if the table has no such id."""
        try:
            return self._schemas[schema_id]
        except KeyError:
            raise UnknownSchemaError(f"schema id {schema_id} is not registered") from None

    def id_of(self, event: EventType) -> int:
        """The id that the table gives the event's present schema; RegistryError if none."""
        for schema_id, text in self._schemas.items():
            if self._subjects[schema_id] == event.subject and _same(text, event.schema):
                return schema_id
        raise RegistryError(
            f"schema ids: {self._path} has no id for {event.subject} with the present schema"
        )


class HttpRegistry:
    """A registry that is a service with the REST interface of Confluent's.

    url: such as http://localhost:8081. What it says of an id is asked once. RegistryError
    where it is away or answers something else; it is never taken for "no such schema".
    """

    def __init__(self, url: str) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise RegistryError(f"schema registry: {url} must begin with http:// or https://")
        self._url = url.rstrip("/")
        self._schemas: dict[int, str] = {}
        self._ids: dict[str, int] = {}

    def schema_of(self, schema_id: int) -> str:
        """The text of the schema; UnknownSchemaError if the registry has no such id."""
        if schema_id not in self._schemas:
            answer = self._ask(f"/schemas/ids/{schema_id}", schema_id)
            kind = answer.get("schemaType", "AVRO")
            if kind != "AVRO":
                raise UnknownSchemaError(f"schema id {schema_id} is not of an Avro schema")
            self._schemas[schema_id] = self._part(answer, "schema", str)
        return self._schemas[schema_id]

    def id_of(self, event: EventType) -> int:
        """The id of the event's present schema, which is registered if it was not yet."""
        if event.name not in self._ids:
            subject = urllib.parse.quote(event.subject, safe="")
            body = json.dumps({"schema": event.schema}).encode()
            answer = self._ask(f"/subjects/{subject}/versions", None, body)
            self._ids[event.name] = self._part(answer, "id", int)
        return self._ids[event.name]

    def _ask(self, path: str, schema_id: int | None, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url + path, body, {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - see above
                parsed = json.loads(answer.read(_ANSWER_BYTES_MAX))
        except urllib.error.HTTPError as error:
            with error:
                if schema_id is not None and error.code == 404 and _says_unknown(error):
                    raise UnknownSchemaError(f"schema id {schema_id} is not registered") from None
            raise RegistryError(
                f"schema registry: {self._url}{path} answered {error.code} {error.reason}"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RegistryError(
                f"schema registry: {self._url} does not answer ({error})"
            ) from error
        if not isinstance(parsed, dict):
            raise RegistryError(f"schema registry: {self._url}{path} did not answer an object")
        return parsed

    def _part(self, answer: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
        if not isinstance(answer.get(name), kind):
            raise RegistryError(f'schema registry: {self._url} answered without "{name}"')
        return answer[name]


def _says_unknown(error: urllib.error.HTTPError) -> bool:
    """Whether a 404 is about the schema (40403) and not about the address of the registry."""
    try:
        return bool(json.loads(error.read(_ANSWER_BYTES_MAX)).get("error_code") == 40403)
    except (OSError, ValueError, AttributeError):
        return False


def _same(text: str, other: str) -> bool:
    try:
        return bool(json.loads(text) == json.loads(other))
    except ValueError:
        return False

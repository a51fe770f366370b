"""Asks a schema registry that has the REST interface of Confluent's."""

from __future__ import annotations

import math
import os
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from lineage.codec.contract.events import EventType
from lineage.codec.errors import NotAvroError, RegistryError, UnknownSchemaError
from lineage.codec.registry import LocalIds, Registry, unknown
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits
from streams.kafka.registry.references import put_together
from streams.kafka.registry.rest import Address, Answer, RestClient

__all__ = ["HttpRegistry", "registry_at", "registry_from"]

_ID_MAX = 2**32 - 1
_NO_SUCH_SCHEMA = 40403


class HttpRegistry:
    """A registry that is a service with the REST interface of Confluent's.

    url: such as http://localhost:8081, or a parsed address; user and password are sent as HTTP
    Basic authentication, and like its query never shown. clock: seconds that never go back.
    subject_prefix: in front of the subjects of events, as it is in front of their topics.

    Asks once for a schema, and at most once in `unknown_id_seconds` for an id that is not
    registered. RegistryError where the service is away or answers something else; that is never
    taken for "no such schema".
    """

    def __init__(
        self,
        url: Address | str,
        clock: Callable[[], float] = time.monotonic,
        limits: KafkaLimits = KAFKA_LIMITS,
        subject_prefix: str = "",
    ) -> None:
        self._subject_prefix = subject_prefix
        self._client = RestClient(
            url if isinstance(url, Address) else Address.of(url),
            limits.registry_step_seconds_max,
            limits.registry_answer_bytes_max,
        )
        self._limits = limits
        self._clock = clock
        self._schemas: dict[int, str] = {}
        self._not_avro: set[int] = set()
        self._ids: dict[str, int] = {}
        # Until when an id counts as unknown; the first one is the first to end.
        self._unknown: dict[int, float] = {}

    def __str__(self) -> str:
        return f"the schema registry at {self.address}"

    @property
    def address(self) -> str:
        """Its URL without user, password and query."""
        return self._client.address.shown

    def close(self) -> None:
        """Close the connection; the next question opens it anew."""
        self._client.close()

    def schema_of(self, schema_id: int) -> str:
        """Return the text of the schema; UnknownSchemaError if the registry has no such id."""
        if schema_id not in self._schemas:
            self._learn(schema_id)
        return self._schemas[schema_id]

    def id_of(self, event: EventType) -> int:
        """Return the id of the event's present schema, which is registered if it was not yet."""
        if event.name not in self._ids:
            subject = urllib.parse.quote(self._subject_prefix + event.subject, safe="")
            path = f"/subjects/{subject}/versions"
            answer = self._client.ask(path, {"schema": event.schema})
            schema_id = self._part(path, answer, "id", int)
            if not 0 <= schema_id <= _ID_MAX:
                raise self._unexpected(path, 'an "id" that does not fit into 4 bytes')
            self._ids[event.name] = schema_id
        return self._ids[event.name]

    def subjects(self) -> frozenset[str]:
        """Return the subjects that have a schema there."""
        path = "/subjects"
        answer = self._client.ask(path)
        self._check(path, answer)
        if not isinstance(answer.body, list):
            raise self._unexpected(path, "something else than a list of subjects")
        return frozenset(name for name in answer.body if isinstance(name, str))

    def _learn(self, schema_id: int) -> None:
        if schema_id in self._not_avro:
            raise NotAvroError(_not_avro(schema_id))
        if self._clock() < self._unknown.get(schema_id, -math.inf):
            raise UnknownSchemaError(unknown(schema_id))
        path = f"/schemas/ids/{schema_id}"
        answer = self._client.ask(path)
        # Any other 404 is about the address of the registry.
        if answer.status == 404 and _error_code(answer) == _NO_SUCH_SCHEMA:
            self._forget_or_remember(schema_id)
            raise UnknownSchemaError(unknown(schema_id))
        schema = self._part(path, answer, "schema", str)
        if isinstance(answer.body, dict) and answer.body.get("schemaType", "AVRO") != "AVRO":
            self._not_avro.add(schema_id)
            raise NotAvroError(_not_avro(schema_id))
        references = answer.body.get("references") if isinstance(answer.body, dict) else None
        if references:
            schema = put_together(schema, self._referred(schema_id, references))
        self._schemas[schema_id] = schema

    def _referred(self, schema_id: int, references: object) -> dict[str, str]:
        """Return the texts of the schemas that one refers to, directly or not, by type name."""
        found: dict[str, str] = {}
        untold = [references]
        while untold:
            for name, subject, version in _references(untold.pop()):
                if name in found:
                    continue
                if len(found) >= self._limits.references_max:
                    raise UnknownSchemaError(
                        f"schema id {schema_id} refers to more than "
                        f"{self._limits.references_max} other schemas"
                    )
                there = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/{version}"
                answer = self._client.ask(there)
                if answer.status == 404:
                    self._forget_or_remember(schema_id)
                    raise UnknownSchemaError(
                        f"schema id {schema_id} refers to version {version} of another subject, "
                        "which is not registered"
                    )
                found[name] = self._part(there, answer, "schema", str)
                if isinstance(answer.body, dict):
                    untold.append(answer.body.get("references"))
        return found

    def _forget_or_remember(self, schema_id: int) -> None:
        """Remember an id as unknown, and forget those that were long enough or are too many."""
        now = self._clock()
        self._unknown.pop(schema_id, None)
        self._unknown[schema_id] = now + self._limits.unknown_id_seconds
        for other, until in list(islice(self._unknown.items(), 2)):
            if until <= now or len(self._unknown) > self._limits.unknown_ids_max:
                del self._unknown[other]

    def _part(self, path: str, answer: Answer, name: str, kind: type) -> Any:  # noqa: ANN401 - of that kind
        self._check(path, answer)
        value = answer.body.get(name) if isinstance(answer.body, dict) else None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._unexpected(path, f'something without "{name}"')
        return value

    def _check(self, path: str, answer: Answer) -> None:
        """Raise RegistryError unless it is a success."""
        if answer.status // 100 == 2:
            return
        code = _error_code(answer)
        detail = "" if code in (None, answer.status) else f" (error code {code})"
        raise self._unexpected(path, f"{answer.phrase}{detail}{self._advice(path, answer)}")

    def _advice(self, path: str, answer: Answer) -> str:
        given = self._client.address.authorization is not None
        match answer.status // 100, answer.status:
            case _, 401 | 403 if given:
                return "; the user or password are not accepted for this"
            case _, 401 | 403:
                return (
                    "; if it wants a user and password, give them in its URL, or as "
                    "LINEAGE_REGISTRY_USER and LINEAGE_REGISTRY_PASSWORD"
                )
            case _, 409:
                return "; the subject holds a schema that is not compatible with the one sent"
            case 3, _ if answer.location and answer.location.startswith(("http://", "https://")):
                with suppress(RegistryError):
                    there = Address.of(answer.location).shown.removesuffix(path)
                    return f"; it points to {there}: give that address"
        return ""

    def _unexpected(self, path: str, what: str) -> RegistryError:
        where = f"{self.address}{path}"
        return RegistryError(f"schema registry: {where} answered {what}")


def registry_at(
    url: Address | str | None, limits: KafkaLimits = KAFKA_LIMITS, subject_prefix: str = ""
) -> Registry:
    """Return the schema registry at an address; without one, the schemas' own ids."""
    if not url:
        return LocalIds()
    return HttpRegistry(url, limits=limits, subject_prefix=subject_prefix)


def registry_from(url: str | None, environment: Mapping[str, str] = os.environ) -> Address | None:
    """Return the address of a registry with what the environment says of it; None without a URL.

    LINEAGE_REGISTRY_USER and LINEAGE_REGISTRY_PASSWORD go before those in the URL.
    LINEAGE_REGISTRY_CA is a PEM file. Raises RegistryError, which quotes none of them.
    """
    if not url:
        return None
    user = environment.get("LINEAGE_REGISTRY_USER")
    password = environment.get("LINEAGE_REGISTRY_PASSWORD")
    if password and not user:
        raise RegistryError(
            "schema registry: LINEAGE_REGISTRY_PASSWORD needs LINEAGE_REGISTRY_USER, too"
        )
    login = (user, password or "") if user else None
    return Address.of(url, login, environment.get("LINEAGE_REGISTRY_CA") or None)


def _references(found: object) -> Iterator[tuple[str, str, int]]:
    """Yield the name, subject and version of each reference in a registry's answer."""
    for one in found if isinstance(found, list) else ():
        parts = (
            [one.get(key) for key in ("name", "subject", "version")]
            if isinstance(one, dict)
            else []
        )
        match parts:
            case [str(name), str(subject), int(version)]:
                yield name, subject, version


def _not_avro(schema_id: int) -> str:
    return f"schema id {schema_id} is not of an Avro schema"


def _error_code(answer: Answer) -> int | None:
    code = answer.body.get("error_code") if isinstance(answer.body, dict) else None
    return code if isinstance(code, int) else None

"""What both sides of a served store agree on: media types, and errors as JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from lineage import errors
from lineage.errors import LineageError, QueryError, StoreError

ARROW_STREAM: Final = "application/vnd.apache.arrow.stream"
ERROR_KEY: Final = b"lineage.error"
"""The key of the metadata of a batch that says why an answer ends there."""
TYPES: Final = ("DATE", "TIME", "TIMESTAMP", "INTERVAL", "DECIMAL", "BLOB", "UUID")
"""Types that a parameter can be given beside its text, as JSON has none of them."""

_ERRORS: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, LineageError)
}


def error_body(error: Exception) -> dict[str, Any]:
    """Return the JSON of an error: its class and its sentence."""
    return {"error": {"type": type(error).__name__, "message": str(error)}}


def error_of(body: bytes | str, status: int) -> LineageError:
    """Return the error that a body tells of; of a class that is not known, by the HTTP status."""
    try:
        told = json.loads(body)["error"]
        name, message = str(told["type"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        name, message = "", f"the server answered with HTTP status {status}, and not as this one"
    kind = _ERRORS.get(name, QueryError if status in (400, 404, 405, 413, 415) else StoreError)
    return kind(message)

"""Says no: errors as responses, in JSON, with the HTTP status that fits."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import duckdb
from starlette.responses import JSONResponse

from lineage import (
    BackupError,
    LineageError,
    PolicyError,
    QueryError,
    StoreBusyError,
    StoreError,
)
from lineage.errors import sentence
from lineage.remote.wire import error_body
from streams.serve.limits import ServeLimits

__all__ = ["HttpError", "error_response", "told"]

logger = logging.getLogger(__name__)


class HttpError(LineageError):
    """A request that is refused for what HTTP says of it."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def error_response(error: Exception, limits: ServeLimits) -> JSONResponse:
    """Return the response for an error: its class and its sentence."""
    error = told(error)
    headers: dict[str, str] = {}
    status = 500
    if isinstance(error, HttpError):
        status, headers = error.status, dict(error.headers)
    elif isinstance(error, StoreBusyError):
        status, headers = 503, {"retry-after": str(limits.retry_seconds)}
    elif isinstance(error, (QueryError, BackupError, PolicyError)):
        status = 400
    return JSONResponse(error_body(error), status, headers)


def told(error: Exception) -> LineageError:
    """Return an error that may be told: one of ours, or one in its place that quotes nothing."""
    if isinstance(error, LineageError):
        return error
    if isinstance(error, duckdb.Error):
        return StoreError(f"the database cannot go on: {sentence(error)}")
    logger.error("a question ended with %s", type(error).__name__, exc_info=error)
    return LineageError(
        f"an unexpected {type(error).__name__}, which is a mistake in this program; see its log"
    )

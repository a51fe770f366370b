"""Runs the server in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from streams.errors import ServeError
from streams.serve.address_file import ServedAt, announce, withdraw
from streams.serve.connection import connection_class
from streams.serve.endpoints import ACTING, QUACK, Copying, application
from streams.serve.guard import Guard
from streams.serve.pages import Pages
from streams.serve.readers import Readers
from streams.serve.settings import ServeSettings, is_loopback
from streams.serve.work import Places

__all__ = ["QuestionServer"]

logger = logging.getLogger(__name__)

_BACKLOG = 64
_START_SECONDS_MAX = 10.0


class QuestionServer:
    """Serves one open database until it is stopped; the database has to stay open as long.

    db: its file, beside which the address is told; None: nowhere. backup: copies the
    database. more: further paths, as those of the metrics. pages: what is shown to a browser, made
    for the token; None: nothing. quack: answers DuckDB's own clients, made for the token.
    """

    def __init__(
        self,
        readers: Readers,
        settings: ServeSettings,
        db: Path | None,
        backup: Copying,
        more: Sequence[BaseRoute] = (),
        pages: Callable[[str], Pages] | None = None,
        quack: Callable[[str, Places], ASGIApp] | None = None,
    ) -> None:
        self._readers = readers
        self._settings = settings
        self._db = db
        self._backup = backup
        self._more = more
        self._pages = pages
        self._quack = quack
        self._instance = secrets.token_hex(16)
        self._server: uvicorn.Server | None = None
        self._started = threading.Event()
        self._thread: threading.Thread | None = None
        self.url = ""

    def start(self) -> None:
        """Listen, and tell the address beside the database. Raises ServeError."""
        settings = self._settings
        listener = _listener(settings)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}"
        token = settings.token or secrets.token_urlsafe(32)
        self._thread = threading.Thread(
            target=self._run, args=(listener, token, port), name="serve", daemon=True
        )
        self._thread.start()
        if not self._started.wait(_START_SECONDS_MAX):
            raise ServeError(f"the server at {self.url} did not start in time")
        if self._db is not None:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            where = ServedAt(self.url, token, os.getpid(), socket.gethostname(), self._instance, at)
            try:
                announce(self._db, where)
            except OSError as error:
                self.stop()
                raise ServeError(
                    f"the address could not be told beside {self._db}: {error.strerror}"
                ) from error

    def stop(self) -> None:
        """End all questions, and the server, within some seconds."""
        if self._db is not None:
            withdraw(self._db, self._instance)
        self._readers.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(2 * self._settings.limits.stop_seconds_max)

    def _run(self, listener: socket.socket, token: str, port: int) -> None:
        try:
            asyncio.run(self._serve(listener, token, port))
        except Exception as error:  # the thread's end must not go unsaid
            logger.error("questions are served no more after %s", type(error).__name__)  # noqa: TRY400 -- without a traceback, as everywhere in the log
        finally:
            with contextlib.suppress(OSError):
                listener.close()

    async def _serve(self, listener: socket.socket, token: str, port: int) -> None:
        settings, limits = self._settings, self._settings.limits
        pages = None if self._pages is None else self._pages(token)
        quack = None if self._quack is None else partial(self._quack, token)
        inner = application(
            self._readers, self._backup, self._instance, limits, self._more, pages, quack
        )
        app = Guard(
            inner,
            token=token,
            always=settings.token is not None,
            is_local=is_loopback(settings.host),
            port=port,
            acting=ACTING,
            limits=limits,
            pages=pages,
            checked_within=frozenset() if quack is None else frozenset({QUACK}),
        )
        config = uvicorn.Config(
            app,
            http=connection_class(limits),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            # What it would log at errors is said by the application, without values.
            log_level=logging.CRITICAL,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=int(limits.idle_seconds_max),
            timeout_graceful_shutdown=int(limits.stop_seconds_max) or 1,
            h11_max_incomplete_event_size=limits.head_bytes_max,
        )
        self._server = _Server(config, self._started)
        await self._server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it has started."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._has_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._has_started.set()


def _listener(settings: ServeSettings) -> socket.socket:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ServeError(
            f"nothing can be served at {settings.host}:{settings.port}: {error.strerror}"
        ) from error

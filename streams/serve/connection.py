"""Bounds connections: how many there are, and how long one may be without a request."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.serve.limits import ServeLimits

__all__ = ["connection_class"]


def connection_class(bounds: ServeLimits) -> type[asyncio.Protocol]:
    """Return the class of connections with these bounds, as uvicorn makes them."""

    class BoundedConnection(H11Protocol):
        """A connection that is closed when it is one too many, or idle, or never read from.

        uvicorn bounds the time between two requests, but not that for one to come whole, which a
        client can draw out for ever; and each connection is an open file of the worker.
        """

        def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- inherited
            super().__init__(*arguments, **named)
            self.app_state = {**self.app_state, "abort": self._abort}
            self._idle_looks = 0
            self._look_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as inherited
            super().connection_made(transport)
            if len(self.connections) > bounds.connections_max:
                transport.abort()
                return
            self._look_later()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._look_timer is not None:
                self._look_timer.cancel()

        def _look_later(self) -> None:
            self._look_timer = self.loop.call_later(bounds.idle_seconds_max / 2, self._look)

        def _look(self) -> None:
            at_work = self.cycle is not None and not self.cycle.response_complete
            self._idle_looks = (
                0 if at_work and not self.transport.is_closing() else self._idle_looks + 1
            )
            if self._idle_looks > 2:
                self._abort()
            else:
                self._look_later()

        def _abort(self) -> None:
            self.transport.abort()

    return BoundedConnection

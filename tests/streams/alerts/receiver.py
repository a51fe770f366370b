"""A local receiver of webhooks, which can refuse, hang and be away; and a store to tell it from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from lineage.codec import Encoder, LocalIds, from_events
from lineage.ingest.encode import encode
from lineage.store.alert_outbox import AlertOutbox
from streams.alerts.dispatch import Dispatcher
from streams.alerts.limits import ALERT_LIMITS
from streams.alerts.settings import AlertSettings, Receiver
from streams.worker.pipeline.sink import StoreSink
from tests.lineage.events.builders import Event

T = TypeVar("T")
LIMITS = replace(
    ALERT_LIMITS, look_seconds=0.02, answer_seconds_max=0.3, retry_seconds_min=0.05,
    retry_seconds_max=0.2, resend_seconds=0.4, standing_together=2, standing_pause_seconds=0.01,
)  # fmt: skip
SECONDS_MAX = 20.0


@dataclass
class Webhook:
    """What came, with the header that says who may; `status` is answered, None hangs."""

    url: str = ""
    status: int | None = 204
    events: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    refused: int = 0

    async def take(self, request: web.Request) -> web.Response:
        if self.status is None:
            await asyncio.sleep(60)
        if self.status != 204:
            self.refused += 1
            return web.Response(status=self.status or 500)
        assert request.content_type == "application/cloudevents+json"
        self.tokens.add(request.headers.get("Authorization"))
        self.events.append(await request.json())
        return web.Response(status=204)


@asynccontextmanager
async def webhook() -> AsyncIterator[Webhook]:
    """A receiver on a free port."""
    found = Webhook()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    found.url = f"http://{host}:{port}/hook"
    try:
        yield found
    finally:
        await runner.cleanup()


class Bench:
    """A store with a thread of its own, as a worker has it, and dispatchers on it."""

    def __init__(self, folder: Path) -> None:
        self.sink = StoreSink(str(folder / "alerts.duckdb"), Encoder(LocalIds()))
        self.pool = ThreadPoolExecutor(1)
        self.errors: list[BaseException] = []

    async def apply(self, *events: Event) -> float:
        """Record events; the seconds that it took."""
        batch, began = encode(from_events(list(events))), time.monotonic()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.pool, lambda: self.sink.apply(batch, {}, {}))
        return time.monotonic() - began

    async def ask(self, work: Callable[[AlertOutbox], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, lambda: self.sink.with_alerts(work))

    @asynccontextmanager
    async def telling(
        self, *receivers: Receiver, console: str | None = None
    ) -> AsyncIterator[None]:
        """A dispatcher that tells these."""
        settings = AlertSettings(receivers, console, LIMITS)
        dispatcher = Dispatcher(settings, self.ask, self.errors.append)
        await dispatcher.start()
        try:
            yield
        finally:
            await dispatcher.stop()
            assert not self.errors

    def close(self) -> None:
        self.pool.submit(self.sink.close).result()
        self.pool.shutdown()


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

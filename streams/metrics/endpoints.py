"""Serves /metrics, /healthz and /readyz."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams.metrics.meter import Meter
from streams.metrics.scraped import Scraped, Watched

__all__ = ["metrics_routes"]


def metrics_routes(meter: Meter, watched: Watched) -> Sequence[Route]:
    """Return the three paths. `meter` gets the series that are looked up, and the process's own."""
    registry = meter.registry
    registry.register(Scraped(watched))
    for own in (ProcessCollector, PlatformCollector, GCCollector):
        own(registry=registry)
    alone = asyncio.Semaphore(1)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        async with alone:
            body = await asyncio.to_thread(encode, registry)
        return Response(body, headers={"content-type": content_type})

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        progress = None if watched.progress is None else watched.progress()
        why = None if progress is None else progress.why_not_ready(watched.seconds_max)
        if why is None:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "why": why}, 503)

    return (Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz))

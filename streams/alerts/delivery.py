"""Delivers to one receiver over HTTP: again and again, with back-off, until it has it."""

from __future__ import annotations

import asyncio
import json
import logging

import aiohttp

from streams.alerts.limits import AlertLimits
from streams.alerts.settings import Receiver

__all__ = ["Delivery"]

logger = logging.getLogger(__name__)

_MEDIA_TYPES = {
    "alertmanager": "application/json",
    "webhook": "application/cloudevents+json; charset=utf-8",
}


class Delivery:
    """Sends to a receiver, whose failures are told once when they begin, and once when they end."""

    def __init__(
        self, receiver: Receiver, session: aiohttp.ClientSession, limits: AlertLimits
    ) -> None:
        self._receiver = receiver
        self._session = session
        self._limits = limits
        self._headers = {"Content-Type": _MEDIA_TYPES[receiver.kind]}
        if receiver.token is not None:
            self._headers["Authorization"] = f"Bearer {receiver.token}"
        path = "/api/v2/alerts" if receiver.kind == "alertmanager" else ""
        self._url = receiver.url.rstrip("/") + path if path else receiver.url
        self.failing = False

    async def send(self, payload: object) -> None:
        """Return when the receiver has said that it has it; cancel it to give up."""
        body = json.dumps(payload, ensure_ascii=False).encode()
        wait = self._limits.retry_seconds_min
        while (reason := await self._refusal(body)) is not None:
            if not self.failing:
                logger.warning(
                    "%s takes no alerts: %s; they are kept, and sent again until it does",
                    self._receiver.shown, reason,
                )  # fmt: skip
                self.failing = True
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._limits.retry_seconds_max)
        if self.failing:
            logger.info("%s takes alerts again", self._receiver.shown)
            self.failing = False

    async def _refusal(self, body: bytes) -> str | None:
        """Send once; return why it was not taken, None if it was."""
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._limits.answer_seconds_max),
                allow_redirects=False,  # the token is for this host alone
            ) as answer:
                return None if answer.ok else f"it answers {answer.status}"
        except TimeoutError:
            return f"no answer within {self._limits.answer_seconds_max:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            # Its text can hold the address, and so a password.
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            return getattr(cause, "strerror", None) or type(error).__name__

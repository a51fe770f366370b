"""Sends records to Kafka in a thread, as many as it is allowed, whatever the broker does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.kafka.topics.topics import MESSAGE_BYTES_MAX
from tests.torture.hostile_log import Record

logger = logging.getLogger(__name__)

_AT_ONCE = 100
_PAUSE_SECONDS = 0.03
_ANSWER_SECONDS_MAX = 20.0


class Producer:
    """Sends records in their order; each of them at least once.

    Where the broker is away, what it has not acknowledged is sent again when it is back.
    """

    def __init__(self, bootstrap: str, records: Sequence[Record]) -> None:
        self._bootstrap = bootstrap
        self._records = records
        self._allowed = 0
        self._changed = threading.Condition()
        self._closing = False
        self.sent = 0
        self._thread = threading.Thread(target=self._run, name="producer", daemon=True)

    def __enter__(self) -> Producer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(3 * _ANSWER_SECONDS_MAX)

    def allow(self, share: float) -> None:
        """Let it send this share of all records."""
        with self._changed:
            self._allowed = max(self._allowed, int(min(1.0, share) * len(self._records)))
            self._changed.notify_all()

    def finish(self, seconds: float = 120) -> None:
        """Let it send all that is left, and wait for that."""
        self.allow(1)
        with self._changed:
            if not self._changed.wait_for(lambda: self.sent == len(self._records), seconds):
                raise TimeoutError(f"{self.sent} of {len(self._records)} records were sent")

    def _run(self) -> None:
        producer: KafkaProducer | None = None
        while (some := self._next()) and not self._closing:
            try:
                producer = producer or self._connected()
                _send(producer, some)
            except (KafkaError, OSError) as error:
                logger.info("sending again: %s", type(error).__name__)
                if producer is not None:
                    _close(producer, 0)
                producer = None
                time.sleep(1)
                continue
            with self._changed:
                self.sent += len(some)
                self._changed.notify_all()
            time.sleep(_PAUSE_SECONDS)
        if producer is not None:
            _close(producer, 5)

    def _next(self) -> Sequence[Record]:
        """Wait until it may send more; return what comes next, nothing when it is closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self.sent < self._allowed)
            return self._records[self.sent : min(self.sent + _AT_ONCE, self._allowed)]

    def _connected(self) -> KafkaProducer:
        milliseconds = int(_ANSWER_SECONDS_MAX * 1000)
        return KafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            linger_ms=5,
            max_request_size=MESSAGE_BYTES_MAX,
            request_timeout_ms=milliseconds // 2,
            delivery_timeout_ms=milliseconds,
            max_block_ms=milliseconds,
        )


def _close(producer: KafkaProducer, seconds: float) -> None:
    with suppress(KafkaError):  # not all was sent, which its caller knows
        producer.close(timeout=seconds)


def _send(producer: KafkaProducer, records: Sequence[Record]) -> None:
    sent = [producer.send(one.topic, key=one.key, value=one.value) for one in records]
    for future in sent:
        future.get(_ANSWER_SECONDS_MAX)

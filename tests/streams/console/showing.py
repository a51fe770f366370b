"""What is shown in the tests of the console, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import lineage
from streams.console.console import pages_of
from streams.serve.readers import Readers
from streams.serve.server import QuestionServer
from streams.serve.settings import ServeSettings
from tests.lineage.events.builders import at, consent, declared, hop, policy
from tests.streams.cli.runner import EVENTS as COMPANY

TOKEN = "a-token-of-some-length"  # noqa: S105 -- only the tests'
RULES = [("no-partner", "HIGH", "party = 'THIRD'")]
EVENTS = [
    *COMPANY,
    consent("c1", "ann", granted=False, effective_at=at(4)),
    policy("p1", RULES, effective_at=at(5)),
    policy("p2", RULES, effective_at=at(6), exempt_regions=["DE"]),
    declared("d3", "corpus", "TRAINING_CORPUS"),
    hop("h7", "wide", "corpus", ["w"], ["c"], moved_at=at(4), operation="TRAIN"),
]
PAGES = (
    "/",
    "/flags",
    "/flags?severity=CRITICAL&order=oldest",
    "/message/m1",
    "/member/ann",
    "/dataset/wide",
    "/dataset/partner",
    "/policies",
    "/policy/p2",
    "/questions",
    "/questions?sql=FROM+flag+WHERE+message_id+%3D+%24message&p.message=m1",
    "/question/message-third-parties?p.message=m1",
    "/question/undeclared-datasets",
    "/health",
)


@contextmanager
def showing(store: lineage.Store, token: str | None = None) -> Iterator[str]:
    """Show a store from this process; its address."""
    settings = ServeSettings(token=token, console=True)
    readers = Readers(store, settings.limits)
    server = QuestionServer(readers, settings, None, store.backup, (), pages_of(settings))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()

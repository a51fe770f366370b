"""Webhooks are told of every change of a flag, in order, whatever they do meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage.store.alert_outbox import AlertOutbox
from streams.alerts.settings import Receiver
from tests.lineage.events.builders import at, declared, hop, message
from tests.streams.alerts.receiver import Bench, Webhook, until, webhook

pytestmark = pytest.mark.slow  # each waits for a receiver

VENDOR = declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme")
CLEARED = declared("e", "vendor", kind="SINK", party="FIRST", declared_at=at(5))
CRITICAL = ("CRITICAL",)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.close()


def play(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, 60))


def told(receiver: Webhook) -> list[tuple[str, str]]:
    kind = "message-lineage.flag."
    return [(one["type"].removeprefix(kind), one["subject"]) for one in receiver.events]


def test_raised_and_cleared_by_one_fingerprint_with_ids_and_a_link(bench: Bench) -> None:
    async def run() -> None:
        async with webhook() as hook:
            receiver = Receiver("a", "webhook", hook.url, CRITICAL, "t0p")
            async with bench.telling(receiver, console="https://c.example"):
                await bench.apply(VENDOR, message("m/1"), hop("h", "inbox", "vendor", ["m/1"]))
                await until(lambda: hook.events)
                await bench.apply(CLEARED)
                await until(lambda: len(hook.events) == 2)
        raised, cleared = hook.events
        assert told(hook) == [("raised", "m/1"), ("cleared", "m/1")]
        assert raised["specversion"] == "1.0"
        assert raised["data"]["fingerprint"] == cleared["data"]["fingerprint"]
        assert raised["id"] != cleared["id"]
        assert raised["data"]["link"] == "https://c.example/message/m%2F1"
        assert (raised["data"]["recipient"], raised["data"]["dataset"]) == ("Acme", "vendor")
        assert hook.tokens == {"Bearer t0p"}
        await asyncio.sleep(0)

    play(run())


@pytest.mark.parametrize("status", [500, 400, None])
def test_a_receiver_that_refuses_or_hangs_holds_up_nobody_and_gets_all(
    bench: Bench, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with webhook() as bad, webhook() as good:
            bad.status = status
            receivers = [
                Receiver(n, "webhook", h.url, CRITICAL) for n, h in [("b", bad), ("g", good)]
            ]
            async with bench.telling(*receivers):
                await bench.apply(VENDOR)
                slowest = 0.0
                for number in range(5):
                    leak = (
                        message(f"m{number}"),
                        hop(f"h{number}", "inbox", "vendor", [f"m{number}"]),
                    )
                    slowest = max(slowest, await bench.apply(*leak))
                await until(lambda: len(good.events) == 5)
                assert not bad.events
                await until(lambda: "takes no alerts" in caplog.text)
                bad.status = 204
                await until(lambda: len(bad.events) == 5)
                await until(lambda: "takes alerts again" in caplog.text)
            assert told(bad) == told(good) == [("raised", f"m{number}") for number in range(5)]
            assert slowest < 5

    caplog.set_level("INFO")
    play(run())
    assert caplog.text.count("takes no alerts") == 1


def test_what_was_not_taken_comes_after_a_restart_and_the_rest_not_again(bench: Bench) -> None:
    async def run() -> None:
        async with webhook() as hook:
            receiver = Receiver("a", "webhook", hook.url, CRITICAL)
            async with bench.telling(receiver):
                await bench.apply(VENDOR, message("m1"), hop("h1", "inbox", "vendor", ["m1"]))
                await until(lambda: hook.events)
                await asyncio.sleep(0.1)
                hook.status = 503
                await bench.apply(message("m2"), hop("h2", "inbox", "vendor", ["m2"]))
                await until(lambda: hook.refused)
            hook.status = 204
            async with bench.telling(receiver):
                await until(lambda: len(hook.events) == 2)
        assert told(hook) == [("raised", "m1"), ("raised", "m2")]

    play(run())


def test_a_new_receiver_is_told_from_now_or_from_the_beginning(bench: Bench) -> None:
    async def run() -> None:
        await bench.apply(VENDOR, message("m1"), hop("h1", "inbox", "vendor", ["m1"]))
        async with webhook() as now, webhook() as ever:
            receivers = (
                Receiver("now", "webhook", now.url, CRITICAL),
                Receiver("ever", "webhook", ever.url, CRITICAL, from_beginning=True),
            )
            async with bench.telling(*receivers):
                await bench.apply(message("m2"), hop("h2", "inbox", "vendor", ["m2"]))
                await until(lambda: now.events and len(ever.events) == 2)
        assert [subject for _, subject in told(now)] == ["m2"]
        assert [subject for _, subject in told(ever)] == ["m1", "m2"]
        latest = await bench.ask(AlertOutbox.latest)
        assert await bench.ask(AlertOutbox.told) == {"now": latest, "ever": latest}

    play(run())


def test_nothing_but_ids_is_told(bench: Bench) -> None:
    async def run() -> None:
        async with webhook() as hook, bench.telling(Receiver("a", "webhook", hook.url)):
            await bench.apply(VENDOR, message("m"), hop("h", "inbox", "vendor", ["m"]))
            await until(lambda: hook.events)
        for event in hook.events:
            assert set(event["data"]) == {
                "rule", "severity", "message_id", "dataset", "policy_id", "first_at", "last_at",
                "arrivals", "first_hop", "job", "run_id", "source", "recipient", "fingerprint",
                "link",
            }  # fmt: skip
            assert "member" not in json.dumps(event)

    play(run())

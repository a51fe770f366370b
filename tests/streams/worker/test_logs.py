"""The worker's log: a line each, once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
from aiokafka.errors import NodeNotReadyError, SaslAuthenticationFailed

from streams.worker.limits import WORKER_LIMITS
from streams.worker.reports.logs import RepeatFilter, log_to_stderr

SPEAKING = """
import json
import logging
from streams.worker.reports.logs import log_to_stderr
log_to_stderr()
try:
    raise ValueError("inside")
except ValueError:
    logging.getLogger("faust").exception("Crashed reason=%r", 1)
for number in range(100):
    logging.getLogger("aiokafka").error("no connection to %d", number)
    logging.getLogger("streams.worker.run").info("the worker says %d", number)
"""


def record(name: str, message: str, at: float) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "", 0, message, (at,), None)
    made.created = at
    return made


def test_what_a_library_repeats_is_said_once_in_a_while() -> None:
    once = RepeatFilter()
    repeat = WORKER_LIMITS.log_repeat_seconds
    times = [0.0, 1.0, repeat - 1, repeat, repeat + 1]
    passed = [at for at in times if once.filter(record("aiokafka.conn", "away for %s s", at))]
    assert passed == [0.0, repeat]
    assert once.filter(record("aiokafka.conn", "something else %s", 1.0))


def test_a_lost_connection_is_told_by_the_watch_alone() -> None:
    once = RepeatFilter()
    for args in [(1, NodeNotReadyError("node 1")), (1, ConnectionRefusedError(111, "refused"))]:
        lost = record("aiokafka.client", "no node %s: %s", 0.0)
        lost.args = args
        assert not once.filter(lost)
    assert not once.filter(record("aiokafka.client", "Unable to update metadata from %s", 0.0))
    refused = record("aiokafka.client", "no node: %s", 0.0)
    refused.args = (SaslAuthenticationFailed("no"),)
    assert once.filter(refused)


@pytest.mark.parametrize("name", ["streams.worker.app", "lineage", "lineage.codec.wire"])
def test_what_the_project_says_is_never_left_out(name: str) -> None:
    once = RepeatFilter()
    assert all(once.filter(record(name, "said %s", at)) for at in (0.0, 0.1, 0.2))


def test_a_line_each_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPEAKING], stderr=subprocess.PIPE, text=True, check=True
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 1 + 1 + 100
    assert lines[0].endswith("ERROR Crashed reason=1")
    assert lines[1].endswith("ERROR no connection to 0")


UNHANDLED = """
import threading
from streams.worker.reports.logs import log_to_stderr
log_to_stderr()
def fail():
    raise ValueError("a text that was read")
thread = threading.Thread(target=fail, name="consumer")
thread.start()
thread.join()
class Closing:
    def __del__(self):
        raise OSError("gone")
Closing()
"""


def test_an_error_that_ends_a_thread_is_one_line_without_its_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNHANDLED], stderr=subprocess.PIPE, text=True, check=True
    )
    lines = done.stderr.splitlines()
    assert [line.partition("ERROR ")[2] for line in lines] == [
        "consumer ended with ValueError",
        "cleaning up ended with OSError",
    ]


def test_lines_of_json_have_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers = []
    try:
        log_to_stderr(form="json")
        logging.getLogger("streams.x").info("in %d s", 60, extra={"counts": {"events": 5}})
    finally:
        root.handlers, level = before
        root.setLevel(level)
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["message"], told["counts"], told["level"]) == ("in 60 s", {"events": 5}, "INFO")
    assert told["at"].endswith("Z")

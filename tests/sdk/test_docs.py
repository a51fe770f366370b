"""What docs/sdk.md shows runs, and its tables are whole."""

from __future__ import annotations

import re
from pathlib import Path

import lineage_sdk
from lineage_sdk.delivery.settings import Settings
from tests.sdk.jobs import ROOT, events_in, finished
from tests.stores import new_store

PAGE = (ROOT / "docs/sdk.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_the_examples_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    variables = {"LINEAGE_EMIT": f"file://{log}", "LINEAGE_SPOOL": str(tmp_path / "spool")}
    for example in EXAMPLES:
        finished(example, LINEAGE_STRICT="1", **variables)
    assert len(EXAMPLES) == 2
    events = [event["event"] for event in events_in(log)]
    assert events.count("RecordsMoved") == 5
    assert events.count("RunReported") == 2
    with new_store() as store:
        store.replay(log)
        assert store.sql("FROM dead_letter").fetchall() == []
        found = store.sql(
            "SELECT i.record_id, o.record_id FROM hop_record i JOIN hop_record o USING (hop_id) "
            "JOIN hop USING (hop_id) WHERE target = 'vendor.leads' AND i.side = 'INPUT' "
            "AND o.side = 'OUTPUT' ORDER BY ALL"
        ).fetchall()
        hops = store.sql("SELECT hops FROM run_report WHERE state = 'COMPLETE'").fetchall()
    assert found == [("contact-1", "lead-7"), ("contact-2", "lead-8")]
    assert hops == [(5,)]


def test_every_variable_is_told() -> None:
    source = (ROOT / "sdk/lineage_sdk/delivery/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(LINEAGE_[A-Z_]+[A-Z])"', source))
    told = set(re.findall(r"LINEAGE_[A-Z_]+[A-Z]", PAGE))
    assert read <= told
    assert len(read) >= 8
    defaults = Settings("j")
    assert f"| {defaults.spool_bytes_max >> 20} |" in PAGE
    assert f"| {defaults.flush_seconds:.0f} |" in PAGE


def test_every_public_name_is_told() -> None:
    untold = [name for name in lineage_sdk.__all__ if not re.search(rf"\b{name}\b", PAGE)]
    # Types that come back, and what only their values show.
    assert set(untold) <= {"BlockLimits", "Counters", "Hop", "Run", "SdkError", "SettingsError"} | {
        "current_run",
        "message_party",
    }

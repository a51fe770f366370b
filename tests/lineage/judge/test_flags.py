"""What is touched is judged anew in parts, and it makes no difference how many."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import lineage
from lineage.judge import flags
from lineage.limits import DEFAULT_LIMITS, Limits
from streams.simulate import simulate
from tests.stores import new_store
from tests.streams.simulate.log_reader import events

LATE = {"PolicyPublished", "DatasetDeclared"}


@pytest.mark.slow
@pytest.mark.parametrize("late", [True, False])
def test_parts_make_no_difference(
    late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(1_000, seed=3, out=tmp_path / "log")
    log = events(tmp_path / "log")
    turned: list[int] = []
    replace = flags._replace

    def watched(*arguments: Any) -> pl.DataFrame:  # noqa: ANN401 -- passed on as they are
        changes = replace(*arguments)
        turned.append(len(changes))
        return changes

    with new_store() as store:
        store.apply(log)
        expected = store.digest()
        history = store.sql("SELECT count(*) FROM flag_history").fetchall()
    monkeypatch.setattr(flags, "_replace", watched)
    with new_store(limits=Limits(rejudged_pairs=100, rejudged_buckets=50)) as store:
        if late:
            store.apply([one for one in log if one["event"] not in LATE])
            turned.clear()
            applied = store.apply([one for one in log if one["event"] in LATE])
            assert len(turned) > 10
            seqs = store.unpublished()["seq"].to_pylist()
            assert seqs == list(range(1, len(seqs) + 1))
            assert applied.flag_changes["seq"].to_pylist() == seqs[-sum(turned) :]
        else:
            store.apply(log)
            assert store.sql("SELECT count(*) FROM flag_history").fetchall() == history
        assert store.digest() == expected


HISTORY = "SELECT * EXCLUDE (recorded_at) FROM core.flag_history ORDER BY seq"
FEW = Limits(changed_flags=7, judged_breaches=100, rejudged_arrivals=40, told_changes=3)


@pytest.mark.slow
@pytest.mark.parametrize("late", [True, False])
def test_many_flags_in_portions_are_in_the_order_of_few(late: bool, tmp_path: Path) -> None:
    simulate(1_000, seed=3, out=tmp_path / "log")
    log = events(tmp_path / "log")
    batches = [[one for one in log if (one["event"] in LATE) == wanted] for wanted in (False, True)]
    found = []
    for limits in (DEFAULT_LIMITS, FEW):
        with new_store(limits=limits) as store:
            results = [store.apply(batch) for batch in (batches if late else [log])]
            changes = pa.concat_tables([result.flag_changes for result in results])
            found.append(
                (
                    store.digest(),
                    store._connection.execute(HISTORY).fetchall(),
                    changes.drop_columns(["job", "run_id", "source"]),  # looked up later, if many
                    store.flag_records(changes),
                    [result.flags.counts for result in results],
                    [(len(result.raised), len(result.cleared)) for result in results],
                )
            )
            held = [result.flags.held is not None for result in results]
            assert held == [limits is DEFAULT_LIMITS] * len(results)
    assert found[0] == found[1]


CROWD = """
import resource, sys
from pathlib import Path
import lineage
from lineage.limits import Limits
from tests.lineage.events.builders import declared, hop, message, policy
few = {"changed_flags": 10_000, "told_changes": 0, "rejudged_pairs": 20_000, "rule_memory_mib": 64}
ids = [f"{number:012x}-and-what-else-an-id-is-made-of" for number in range(1_000)]
targets = [f"t{number}" for number in range(int(sys.argv[2]))]
with lineage.open(sys.argv[1], memory_mib=200, limits=Limits(**few)) as store:
    store.apply([declared(f"d{one}", one) for one in ("inbox", *targets)])
    store.apply([message(one) for one in ids])
    for some in (targets[first : first + 50] for first in range(0, len(targets), 50)):
        store.apply([hop(f"h{one}", "inbox", one, ids) for one in some])
    Path("/proc/self/clear_refs").write_text("5")
    status = lambda name: Path("/proc/self/status").read_text().split(name)[1].split()[0]
    before = int(status("VmRSS:"))
    late = store.apply([policy("p", [("all", "LOW", "declared")])])
    print(late.count_of("RAISED"), (int(status("VmHWM:")) - before) >> 10)
"""


@pytest.mark.slow
def test_a_late_policy_that_flags_all_of_it_takes_no_more_memory_for_more(tmp_path: Path) -> None:
    grown = {}
    for targets in (50, 300):
        program = [sys.executable, "-c", CROWD, str(tmp_path / f"{targets}.duckdb"), str(targets)]
        printed = subprocess.run(program, capture_output=True, text=True, check=True).stdout
        raised, grown[targets] = map(int, printed.split())
        assert raised == 1_000 * (targets + 1)
    assert grown[300] < grown[50] + 150, grown


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.slow
def test_what_a_batch_changed_is_what_the_history_of_flags_has(
    reopened: bool, tmp_path: Path
) -> None:
    log_folder, database = tmp_path / "log", tmp_path / "l.duckdb"
    simulate(1_000, seed=3, out=log_folder)
    log = events(log_folder)
    parts = [
        [one for one in log if one["event"] not in LATE],
        [one for one in log if one["event"] in LATE],
    ]
    told, shown = [], []
    store = lineage.open(database)
    for number, part in enumerate(parts):
        applied = store.apply(part, at=datetime(2026, 11, 1, 12, number))
        told.append(applied.flag_changes)
        shown.append(applied.changes)
        if reopened:
            store.close()
            store = lineage.open(database)
    with store:
        held = store.sql("FROM flag_history ORDER BY seq").to_arrow_table()
        changes = pa.concat_tables(told)
        # Told at once, with what the batches have in memory, and later, with what is stored.
        assert store.flag_records(changes) == store.flag_records(store.unpublished())
    assert {"RAISED", "CLEARED", "UPDATED"} == set(changes["status"].to_pylist())
    assert None in changes["first_hop"].to_pylist()
    assert pa.concat_tables(shown).to_pylist() == held.to_pylist()

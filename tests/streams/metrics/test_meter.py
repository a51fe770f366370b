"""The meter counts by batches, in bounded series, and tells no id."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import generate_latest

from lineage.store.flag_changes import HeldChanges
from streams.metrics.meter import Meter, reason_label, totals
from tests.lineage.events.builders import declared, hop, message
from tests.stores import new_store

LEAK = [
    declared("d", "vendor", kind="SINK", party="THIRD", recipient="Acme"),
    message("secret-id-0123456789"),
    hop("h", "inbox", "vendor", ["secret-id-0123456789"]),
]
RULE = "confidential-inmail-to-third-party"


def test_it_counts_batches_arrivals_flags_and_dead_letters() -> None:
    meter = Meter()
    with new_store() as store:
        applied = store.apply([*LEAK, {"event": "Nonsense"}])
        critical = next(one["severity"] for one in applied.raised if one["rule"] == RULE)
        meter.committed(applied, 0.2)
        meter.committed(replace(applied, arrivals=-3, dead_letters=()), 0.2)
    value = meter.registry.get_sample_value
    assert value("lineage_batches_total") == 2
    assert value("lineage_arrivals_added_total") == applied.arrivals
    assert value("lineage_arrivals_retracted_total") == 3
    assert value("lineage_commit_duration_seconds_sum") == 0.4
    raised = {"rule": RULE, "severity": str(critical).lower(), "status": "raised"}
    assert value("lineage_flag_changes_total", raised) == 2
    said = generate_latest(meter.registry).decode()
    assert "lineage_dead_letters_total{reason=" in said
    assert "secret-id" not in said


def test_a_reason_is_told_without_what_differs_from_value_to_value() -> None:
    one = reason_label("policy: rule 'a-1' has 12,000 parts, of hop 0190ab12-ffff-7000-8000-0123")
    other = reason_label("policy: rule 'b' has 7 parts, of hop 0290ab12-ffff-7000-8000-4567")
    assert one == other == "policy: rule … has N parts, of hop …"


def test_series_have_a_bound_however_many_rules_there_are() -> None:
    meter = Meter()
    with new_store() as store:
        changes = store.apply(LEAK)
    for number in range(500):
        column = [f"rule-{number}"] * changes.flag_changes.num_rows
        index = changes.flag_changes.schema.get_field_index("rule")
        table = changes.flag_changes.set_column(index, "rule", [column])
        meter.committed(replace(changes, flags=HeldChanges(table)), 0.1)
    lines = generate_latest(meter.registry).decode().splitlines()
    series = [line for line in lines if line.startswith("lineage_flag_changes_total{")]
    assert len(series) <= 201 * changes.flag_changes.num_rows
    assert any('rule="other"' in line for line in series)


def test_topics_are_summed() -> None:
    assert totals([("a", 1, 10), ("b", 2, 5), ("a", 3, 1)]) == {"a": (4, 11), "b": (2, 5)}

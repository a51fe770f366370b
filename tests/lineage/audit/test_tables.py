"""The tables, columns and macros that auditors rely on, by name, each with its comment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lineage

TABLES = {
    "message": "message_id channel dataset sent_at recorded_at",
    "message_party": "message_id role member_id tier region ai_training_consent "
    "third_party_consent",
    "hop": "hop_id run_id job operation source target declass_method declass_k moved_at "
    "recorded_at",
    "hop_record": "hop_id side record_id",
    "dataset": "dataset kind party recipient declared_at recorded_at",
    "consent_change": "change_id member_id purpose granted basis effective_at recorded_at",
    "policy": "policy_id effective_at disclosed_at document recorded_at",
    "run_report": "report_id run_id job state hops records reported_at recorded_at",
    "event_origin": "event event_id source partition position recorded_at",
    "arrival": "message_id hop_id dataset record_id operation arrived_at identifiable recorded_at",
    "fact": "message_id channel confidential exempt_region ai_training_consent third_party_consent "
    "dataset declared kind party recipient operation identifiable disclosed arrived_at hop_id "
    "record_id policy_id",
    "party_consent": "message_id hop_id dataset record_id arrived_at role member_id "
    "ai_training_consent ai_training_changed_at third_party_consent third_party_changed_at",
    "flag": "rule severity message_id dataset policy_id first_at last_at arrivals first_hop",
    "flag_history": "seq status rule severity message_id dataset policy_id first_at last_at "
    "arrivals first_hop recorded_at",
    "unmatched_input": "hop_id run_id job source record_id moved_at reason seen_at",
    "conflict": "event event_id sha256 content counts",
    "dead_letter": "source partition position reason sha256 recorded_at",
    "ingest_position": "topic partition next_offset last_sha256",
    "ingest_topic": "topic cluster_id topic_id",
    "digest_note": "number noted_at digest events arrivals holds",
}
MACROS = {"route": 1, "upstream": 2, "downstream": 2}
INSTANTS = {"sent_at", "moved_at", "declared_at", "effective_at", "disclosed_at", "arrived_at"}
INSTANTS |= {"reported_at"}


@pytest.fixture
def store() -> Iterator[lineage.Store]:
    with lineage.open(":memory:") as store:
        yield store


def test_the_tables_have_these_columns(store: lineage.Store) -> None:
    rows = store.sql(
        "SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = 'main' GROUP BY table_name"
    ).fetchall()
    assert dict(rows) == TABLES


def test_instants_are_timestamps_without_a_zone(store: lineage.Store) -> None:
    rows = store.sql(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main'"
    ).fetchall()
    types = {(name, kind) for name, kind in rows if name in INSTANTS | {"first_at", "last_at"}}
    assert {kind for _, kind in types} == {"TIMESTAMP"}
    assert {name for name, _ in types} == INSTANTS | {"first_at", "last_at"}


def test_every_table_and_column_has_its_comment(store: lineage.Store) -> None:
    silent = store.sql(
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal "
        "AND coalesce(comment, '') = '' "
        "UNION ALL SELECT table_name || '.' || column_name FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal AND coalesce(comment, '') = ''"
    ).fetchall()
    assert silent == []


def test_the_macros_are_there_with_their_comments(store: lineage.Store) -> None:
    rows = store.sql(
        "SELECT function_name, len(parameters), comment FROM duckdb_functions() "
        "WHERE schema_name = 'main' AND function_type = 'table_macro' AND NOT internal"
    ).fetchall()
    assert {name: parameters for name, parameters, _ in rows} == MACROS
    assert all(comment for _, _, comment in rows)

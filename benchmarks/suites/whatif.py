"""Measures `lineage whatif` against a replay of the log with the same policy published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.environment import MIB, Environment, Log
from benchmarks.errors import WrongResultError
from benchmarks.figures import Figure, Outcome
from benchmarks.measurement.process import Finished
from benchmarks.sizes import Sizes

__all__ = ["measure"]

_EPOCH = "1970-01-01T00:00:00Z"
_RULE = "confidential and identifiable and party = 'THIRD'"
_METHODS = "declassification: []"
_KINDS = ("new", "gone", "same")
_STORED = "SELECT effective_at, disclosed_at FROM policy WHERE policy_id <> 'built-in'"
_REPLAY_MIB = 4_096
_BUILT_IN = Path(__file__).parents[2] / "lineage" / "policy" / "built_in.yaml"


def measure(here: Environment, sizes: Sizes) -> Outcome:
    """Try documents on a database of a log; each count is held against a replay's flags."""
    log = here.log(sizes.whatif, "own", "avro")
    database = here.folder / "lineage.duckdb"
    here.say(f"replaying {log.events:,} events")
    here.lineage("replay", log.folder, "--db", database)
    policies = _rows(here.lineage("sql", _STORED, "--db", database, "--json"))
    figures: list[Figure] = []
    for case, document in _documents().items():
        path = here.folder / "policy.yaml"
        path.write_text(document)
        here.say(f"trying a policy: {case}")
        done = here.lineage("whatif", "--policy", path, "--db", database, "--json")
        again = _replayed(here, log, document, policies, _rows(done))
        figures += _figures(case, log, done, again)
    return Outcome(figures, sizes={"whatif": sizes.whatif})


def _documents() -> dict[str, str]:
    """Return the documents to try; what they are is the case."""
    built_in = _BUILT_IN.read_text(encoding="utf-8")
    accepting = "declassification: [{method: k-anonymity, min_k: 50}]"
    return {
        "the built-in policy": built_in,
        "with a method accepted": built_in.replace(_METHODS, accepting),
        "with a rule of all confidential": built_in.replace(_RULE, "confidential"),
    }


def _replayed(
    here: Environment,
    log: Log,
    document: str,
    policies: list[dict[str, Any]],
    counts: list[dict[str, Any]],
) -> Finished:
    """Replay the log with a document in the place of its policies; its flags must be as counted."""
    publications = [{"effective_at": _EPOCH, "disclosed_at": _EPOCH}, *policies]
    lines = (
        {"event": "PolicyPublished", "policy_id": f"~{number}", "document": document, **one}
        for number, one in enumerate(publications)
    )
    more = here.folder / "publications.jsonl"
    more.write_text("".join(json.dumps(line) + "\n" for line in lines))
    here.say("replaying the log with it published")
    database = here.folder / "published.duckdb"
    # A policy that flags all of history changes millions of flags in one transaction.
    memory = ("--memory", str(_REPLAY_MIB))
    done = here.lineage("replay", log.folder, more, "--db", database, "--json", *memory)
    database.unlink()
    flags = json.loads(done.stdout)["flags_by_rule_and_dataset"]
    found = {(one["rule"], one["dataset"]): one["flags"] for one in flags}
    counted = {(one["rule"], one["dataset"]): one["new"] + one["same"] for one in counts}
    if found != {key: count for key, count in counted.items() if count}:
        raise WrongResultError("the flags counted are not those of a replay with the policy")
    return done


def _figures(case: str, log: Log, done: Finished, again: Finished) -> list[Figure]:
    rows = _rows(done)
    return [
        Figure(case, "arrivals", log.arrivals),
        *(Figure(case, f"flags {kind}", sum(row[kind] for row in rows)) for kind in _KINDS),
        Figure(case, "replay with it published, whole process", again.seconds, "s"),
        Figure(case, "what if, whole process", done.seconds, "s"),
        Figure(case, "times as fast", again.seconds / done.seconds),
        Figure(case, "peak memory", done.peak_bytes / MIB, "MiB"),
    ]


def _rows(done: Finished) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]

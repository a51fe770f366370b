"""Builders: the events of the contract, typed, with defaults.

Each returns the event in the JSON spelling. Where strict (the argument, or else LINEAGE_STRICT)
they raise EventError at what the tracker would refuse, with its reason; elsewhere it is `emit` that
refuses it, so that no job ends by what it reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from .contract.input_type import input_type
from .contract.validate_event import wrong_with
from .delivery.current import emitter
from .errors import EventError
from .hops.columns import ids_of
from .ids import instant_text, now_text, uuid7

Event = dict[str, Any]
Instant = datetime | str
Channel = Literal["INMAIL", "DIRECT", "GROUP"]
Role = Literal["SENDER", "RECIPIENT"]
Tier = Literal["FREE", "PREMIUM_CAREER", "PREMIUM_BUSINESS", "SALES_NAVIGATOR", "RECRUITER"]
Operation = Literal[
    "COPY", "TRANSFORM", "JOIN", "AGGREGATE", "ANONYMIZE", "EMBED", "TRAIN", "EXPORT", "READ"
]
Purpose = Literal["AI_TRAINING", "THIRD_PARTY"]
Basis = Literal["MEMBER", "DEFAULT", "POLICY"]
DatasetKind = Literal["TOPIC", "TABLE", "FEATURE_STORE", "TRAINING_CORPUS", "MODEL", "SINK"]
Party = Literal["FIRST", "THIRD"]
RunState = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]


def message_party(
    role: Role,
    member_id: str,
    tier: Tier,
    region: str,
    *,
    ai_training_consent: bool,
    third_party_consent: bool,
) -> Event:
    """Return a sender or recipient of a message, for `message_sent`."""
    return {
        "role": role,
        "member_id": member_id,
        "tier": tier,
        "region": region,
        "ai_training_consent": ai_training_consent,
        "third_party_consent": third_party_consent,
    }


def message_sent(
    dataset: str,
    channel: Channel,
    parties: Sequence[Mapping[str, Any]],
    *,
    message_id: str | None = None,
    sent_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return MessageSent: a member sent a message, which is born as a record of `dataset`."""
    return _built(
        strict,
        event="MessageSent",
        message_id=_id(message_id),
        channel=channel,
        parties=list(parties) if isinstance(parties, tuple) else parties,
        dataset=dataset,
        sent_at=_instant(sent_at),
    )


def records_moved(
    source: str,
    target: str,
    inputs: Iterable[Any],
    outputs: Iterable[Any] = (),
    *,
    operation: Operation = "COPY",
    job: str | None = None,
    run_id: str | None = None,
    hop_id: str | None = None,
    declassification: Mapping[str, Any] | None = None,
    moved_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return RecordsMoved: a hop from `source` to `target`.

    outputs: none where every input keeps its id; else every input flows into every output.
    job, run_id: as for `hop`, which builds such events, and cuts what is large.
    """
    from .runs import current_run, process_run_id  # which builds its reports with this module

    run = current_run()
    return _built(
        strict,
        event="RecordsMoved",
        hop_id=_id(hop_id),
        run_id=run_id if run_id is not None else run.id if run else process_run_id(),
        job=job if job is not None else run.job if run else emitter().settings.job,
        operation=operation,
        source=source,
        target=target,
        inputs=_ids(inputs),
        outputs=_ids(outputs),
        declassification=declassification,
        moved_at=_instant(moved_at),
    )


def consent_changed(
    member_id: str,
    purpose: Purpose,
    *,
    granted: bool,
    basis: Basis = "MEMBER",
    change_id: str | None = None,
    effective_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return ConsentChanged: a member gave or refused consent for a purpose."""
    return _built(
        strict,
        event="ConsentChanged",
        change_id=_id(change_id),
        member_id=member_id,
        purpose=purpose,
        granted=granted,
        basis=basis,
        effective_at=_instant(effective_at),
    )


def dataset_declared(
    dataset: str,
    kind: DatasetKind,
    party: Party = "FIRST",
    *,
    recipient: str | None = None,
    declaration_id: str | None = None,
    declared_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return DatasetDeclared: what a dataset is, and who holds it."""
    return _built(
        strict,
        event="DatasetDeclared",
        declaration_id=_id(declaration_id),
        dataset=dataset,
        kind=kind,
        party=party,
        recipient=recipient,
        declared_at=_instant(declared_at),
    )


def policy_published(
    document: str,
    *,
    policy_id: str | None = None,
    effective_at: Instant | None = None,
    disclosed_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return PolicyPublished: a policy document, of which the tracker alone checks the rules."""
    return _built(
        strict,
        event="PolicyPublished",
        policy_id=_id(policy_id),
        effective_at=_instant(effective_at),
        disclosed_at=None if disclosed_at is None else _instant(disclosed_at),
        document=document,
    )


def run_reported(
    run_id: str,
    state: RunState,
    *,
    hops: int,
    records: int,
    job: str | None = None,
    report_id: str | None = None,
    reported_at: Instant | None = None,
    strict: bool | None = None,
) -> Event:
    """Return RunReported: where a run stands, and how much it says it has reported so far.

    hops: its RecordsMoved events. records: the distinct inputs and outputs that each of them lists,
    added up. `run` reports them by itself.
    """
    return _built(
        strict,
        event="RunReported",
        report_id=_id(report_id),
        run_id=run_id,
        job=emitter().settings.job if job is None else job,
        state=state,
        hops=hops,
        records=records,
        reported_at=_instant(reported_at),
    )


def wrong(event: object) -> str | None:
    """Return the reason for which the tracker would refuse an event; None: it would not."""
    kind = input_type(event)
    if isinstance(kind, str):
        return kind
    return wrong_with(kind, event)  # type: ignore[arg-type]  # it has a type, so it is a mapping


def _built(strict: bool | None, **event: object) -> Event:
    if emitter().settings.strict if strict is None else strict:
        reason = wrong(event)
        if reason is not None:
            raise EventError(reason)
    return event


def _id(given: str | None) -> str:
    return uuid7() if given is None else given


def _instant(given: Instant | None) -> Any:  # noqa: ANN401 - what is none is refused, not changed
    if given is None:
        return now_text()
    return instant_text(given) if isinstance(given, datetime) else given


def _ids(values: Any) -> Any:  # noqa: ANN401 - as above
    try:
        return ids_of(values)
    except TypeError:
        return values

"""Leaks to third parties and out of sight, which must be flagged by any route.

Each function is a scenario: it plants one leak, and names every rule that each of its hops
breaks. `training` has those that go into training.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Scenarios, around
from streams.simulate.leaks.scenario_builder import Record, ScenarioBuilder
from streams.simulate.world import company, events, ids
from streams.simulate.world.company import (
    ANONYMISED,
    ARCHIVE,
    CURATED,
    EMBEDDINGS,
    FEATURES,
    INSIGHTS,
    NOTICE,
    PARTNER,
    PARTNER_SOLD,
    RAW,
    REKEYED,
    SCRATCH,
    SEARCH,
    THIRD_PARTY,
    TRANSLATION,
    UNDECLARED,
)

SCENARIOS = Scenarios()


@SCENARIOS.leak(messages=4)
def straight_export(build: ScenarioBuilder) -> None:
    """Export a confidential InMail among messages that may go."""
    secret = build.inmail()
    free = build.send("INMAIL", build.member("FREE"), build.member("FREE"))
    others = (build.direct(), build.direct(), free)
    build.curate(secret, *others)
    build.move("EXPORT", CURATED, INSIGHTS, secret, *others, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=3)
def laundered_by_aggregate(build: ScenarioBuilder) -> None:
    """Merge a confidential InMail with others into a record, and export the record."""
    secret, others = build.inmail(), (build.direct(), build.direct())
    build.curate(secret, *others)
    merged = build.merge("AGGREGATE", CURATED, FEATURES, *others, secret)
    build.merge("EXPORT", FEATURES, INSIGHTS, merged, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def laundered_by_rekeying(build: ScenarioBuilder) -> None:
    """Export a copy of a confidential InMail under another id."""
    secret = build.inmail()
    build.curate(secret)
    copy = build.merge("COPY", CURATED, REKEYED, secret)
    build.move("EXPORT", REKEYED, TRANSLATION, copy, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def laundered_by_embedding(build: ScenarioBuilder) -> None:
    """Export the embedding of a confidential InMail."""
    secret = build.inmail()
    build.curate(secret)
    vector = build.merge("EMBED", CURATED, EMBEDDINGS, secret)
    build.move("EXPORT", EMBEDDINGS, INSIGHTS, vector, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=2)
def undeclared_dataset(build: ScenarioBuilder) -> None:
    """Dump a confidential InMail, and a message that is none, into an undeclared dataset."""
    secret, other = build.inmail(), build.direct()
    build.curate(secret, other)
    build.move("COPY", CURATED, SCRATCH, secret, other, breaks=[(UNDECLARED, secret)])


@SCENARIOS.leak(messages=1)
def laundered_by_undeclared_dataset(build: ScenarioBuilder) -> None:
    """Export an InMail by way of an undeclared dataset: a flag there, one at the third party."""
    secret = build.inmail()
    build.curate(secret)
    build.move("COPY", CURATED, SCRATCH, secret, breaks=[(UNDECLARED, secret)])
    build.move("EXPORT", SCRATCH, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_too_weakly(build: ScenarioBuilder) -> None:
    """Anonymise as the policy before accepted, and the one in force does not, then export."""
    secret = build.inmail()
    build.curate(secret)
    before, now = company.DEFAULT_ON_POLICY.min_k, company.NOTICE_POLICY.min_k
    build.move(
        "ANONYMIZE", CURATED, ANONYMISED, secret, k=before + build.random_stream.below(now - before)
    )
    build.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=around(NOTICE))
def anonymised_as_policy_changed(build: ScenarioBuilder) -> None:
    """Anonymise as accepted until then, at the very instant of the new policy, then export."""
    secret = build.inmail()
    build.curate(secret)
    build.move(
        "ANONYMIZE", CURATED, ANONYMISED, secret, k=company.NOTICE_POLICY.min_k - 1, at=NOTICE
    )
    build.at = NOTICE
    build.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.BEFORE_POLICY)
def anonymised_under_no_policy(build: ScenarioBuilder) -> None:
    """Anonymise well, while the built-in policy holds, which accepts no method, then export."""
    secret = build.inmail()
    build.curate(secret)
    build.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=1000)
    build.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.WITH_POLICY)
def both_forms_in_one_record(build: ScenarioBuilder) -> None:
    """Anonymise an InMail, join the original into the same record, and export the record."""
    secret = build.inmail()
    build.curate(secret)
    build.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=100)
    build.move("JOIN", CURATED, ANONYMISED, secret)
    build.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=around(NOTICE))
def exported_under_two_policies(build: ScenarioBuilder) -> None:
    """Export an InMail before and after a policy changes: one flag, the first policy's."""
    secret = build.inmail()
    build.curate(secret)
    for at in (NOTICE - 1, NOTICE):
        build.move("EXPORT", CURATED, INSIGHTS, secret, at=at, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def exported_after_a_cycle(build: ScenarioBuilder) -> None:
    """Move an InMail in a circle between two tables, and export it twice."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])
    build.move("COPY", CURATED, RAW, secret)
    build.move("TRANSFORM", RAW, CURATED, secret)
    build.move("EXPORT", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def exported_in_two_records(build: ScenarioBuilder) -> None:
    """Export an InMail into two records of the third party by one hop: one flag, two arrivals."""
    secret = build.inmail()
    build.curate(secret)
    outputs = [ids.one_uuid7(build.at, build.random_stream) for _ in range(2)]
    build.move("EXPORT", CURATED, INSIGHTS, secret, outputs=outputs, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.Era(PARTNER_SOLD, company.END))
def partner_became_third_party(build: ScenarioBuilder) -> None:
    """Export to a partner that is no first party any more, as the log says a month later."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, PARTNER, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=around(PARTNER_SOLD))
def partner_at_its_last_instant(build: ScenarioBuilder) -> None:
    """Export to the partner at the very instant from which the new declaration holds."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, PARTNER, secret, at=PARTNER_SOLD, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1, era=company.Era(company.START, company.ARCHIVE_DECLARED))
def declared_only_later(build: ScenarioBuilder) -> None:
    """Export to a third party declared only later; the earliest declaration counts."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, ARCHIVE, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def read_by_third_party(build: ScenarioBuilder) -> None:
    """Let a third party read an InMail: no export, and all the same the InMail is there."""
    secret = build.inmail()
    build.curate(secret)
    build.move("READ", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=2)
def entered_as_exported(build: ScenarioBuilder) -> None:
    """Merge an InMail into a record at the very instant at which the record is exported."""
    other, secret = build.direct(), build.inmail()
    build.curate(other, secret)
    record = build.merge("AGGREGATE", CURATED, FEATURES, other)
    at = build.later()
    build.move("AGGREGATE", CURATED, FEATURES, secret, outputs=[record.record_id], at=at)
    both = Record(record.record_id, record.messages + secret.messages)
    build.move("EXPORT", FEATURES, INSIGHTS, both, at=at, breaks=[(THIRD_PARTY, secret)])


@SCENARIOS.leak(messages=1)
def hop_late_in_log(build: ScenarioBuilder) -> None:
    """Log the hop into a dataset after the export from the dataset; log both hops twice."""
    secret = build.inmail()
    build.move("COPY", company.ORIGIN, RAW, secret)
    at = build.later()
    build.move("TRANSFORM", RAW, CURATED, secret, at=at, log_at=at + 2 * company.DAY)
    build.duplicate(events.RECORDS_MOVED)
    build.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])
    build.duplicate(events.RECORDS_MOVED)


@SCENARIOS.leak(messages=1)
def export_denied(build: ScenarioBuilder) -> None:
    """Log the export again under its id with another target; the first copy counts."""
    secret = build.inmail()
    build.curate(secret)
    build.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])
    build.contradict(SEARCH, wins=False)

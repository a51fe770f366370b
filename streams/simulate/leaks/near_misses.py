"""Near misses: scenarios that look like leaks, and break no rule.

Each function is a scenario, as in `exports`, and none of its hops breaks anything.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Scenarios, around
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, PAYING, ScenarioBuilder
from streams.simulate.leaks.training import anonymise, train
from streams.simulate.world import company, events
from streams.simulate.world.company import (
    ANONYMISED,
    CURATED,
    DISCLOSED,
    EMBEDDINGS,
    FEATURES,
    INSIGHTS,
    MODEL,
    NOTICE,
    PARTNER,
    PARTNER_SOLD,
    REVIEW,
    SCRATCH,
    SEARCH,
    TRANSLATION,
)

SCENARIOS = Scenarios()


@SCENARIOS.near_miss(messages=2)
def direct_message_exported(build: ScenarioBuilder) -> None:
    """Export paying members' direct and group messages, twice in the log."""
    paying = [build.member(build.random_stream.pick(PAYING)) for _ in range(6)]
    messages = build.send("DIRECT", *paying[:2]), build.send("GROUP", *paying)
    build.curate(*messages)
    build.move("EXPORT", CURATED, INSIGHTS, *messages)
    build.duplicate(events.RECORDS_MOVED)


@SCENARIOS.near_miss(messages=1)
def free_inmail_exported(build: ScenarioBuilder) -> None:
    """Export an InMail between members who do not pay."""
    message = build.send("INMAIL", build.member("FREE"), build.member("FREE"))
    build.curate(message)
    build.move("EXPORT", CURATED, TRANSLATION, message)


@SCENARIOS.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_just_enough(build: ScenarioBuilder) -> None:
    """Anonymise a confidential InMail by the smallest k that is accepted, then export it."""
    message = build.inmail()
    build.curate(message)
    at = build.later()
    build.move("ANONYMIZE", CURATED, ANONYMISED, message, k=company.policy_at(at).min_k, at=at)
    build.move("EXPORT", ANONYMISED, INSIGHTS, message)


@SCENARIOS.near_miss(messages=1, era=around(NOTICE))
def anonymised_before_notice(build: ScenarioBuilder) -> None:
    """Anonymise an InMail as accepted, a microsecond before the notice, and export it after."""
    message = build.inmail()
    build.curate(message)
    k = company.DEFAULT_ON_POLICY.min_k
    build.move("ANONYMIZE", CURATED, ANONYMISED, message, k=k, at=NOTICE - 1)
    build.at = NOTICE
    build.move("EXPORT", ANONYMISED, INSIGHTS, message)


@SCENARIOS.near_miss(messages=1, era=company.WITH_POLICY)
def identifiable_after_export(build: ScenarioBuilder) -> None:
    """Copy an identifiable InMail into the record with its anonymised form, after the export."""
    message = build.inmail()
    anonymise(build, message)
    at = build.later()
    build.move("EXPORT", ANONYMISED, INSIGHTS, message, at=at)
    build.move("COPY", CURATED, ANONYMISED, message, at=at + 1)


@SCENARIOS.near_miss(messages=2)
def entered_after_export(build: ScenarioBuilder) -> None:
    """Merge a confidential InMail into a record a microsecond after the record was exported."""
    other, late = build.direct(), build.inmail()
    build.curate(other, late)
    record = build.merge("AGGREGATE", CURATED, FEATURES, other)
    at = build.later()
    build.move("EXPORT", FEATURES, INSIGHTS, record, at=at)
    build.move("AGGREGATE", CURATED, FEATURES, late, outputs=[record.record_id], at=at + 1)


@SCENARIOS.near_miss(messages=1)
def exported_before_sent(build: ScenarioBuilder) -> None:
    """Name in an export a confidential InMail that was sent, and came there, only afterwards."""
    at = build.later()
    message = build.inmail()
    build.move("EXPORT", CURATED, INSIGHTS, message, carries=(), at=at)
    build.curate(message)


@SCENARIOS.near_miss(messages=1)
def same_id_elsewhere(build: ScenarioBuilder) -> None:
    """Name the id of an InMail in an export from a dataset that the InMail is not in."""
    message = build.inmail()
    build.curate(message)
    build.move("EXPORT", EMBEDDINGS, INSIGHTS, message, carries=())


@SCENARIOS.near_miss(messages=1)
def read_at_home(build: ScenarioBuilder) -> None:
    """Let a first party read a confidential InMail."""
    message = build.inmail()
    build.curate(message)
    build.move("READ", CURATED, REVIEW, message)


@SCENARIOS.near_miss(messages=1)
def open_message_undeclared(build: ScenarioBuilder) -> None:
    """Copy a direct message into an undeclared dataset."""
    message = build.direct()
    build.curate(message)
    build.move("COPY", CURATED, SCRATCH, message)


@SCENARIOS.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_undeclared(build: ScenarioBuilder) -> None:
    """Copy an anonymised confidential InMail into an undeclared dataset."""
    message = build.inmail()
    anonymise(build, message)
    build.move("COPY", ANONYMISED, SCRATCH, message)


@SCENARIOS.near_miss(messages=1, era=company.Era(company.START, PARTNER_SOLD))
def partner_still_first_party(build: ScenarioBuilder) -> None:
    """Export to a partner that becomes a third party only later."""
    message = build.inmail()
    build.curate(message)
    build.move("EXPORT", CURATED, PARTNER, message)


@SCENARIOS.near_miss(messages=1, era=around(PARTNER_SOLD))
def partner_just_before(build: ScenarioBuilder) -> None:
    """Export to the partner a microsecond before the partner becomes a third party."""
    message = build.inmail()
    build.curate(message)
    build.move("EXPORT", CURATED, PARTNER, message, at=PARTNER_SOLD - 1)


@SCENARIOS.near_miss(messages=1, era=company.OPEN)
def withdrawn_after_training(build: ScenarioBuilder) -> None:
    """Withdraw consent a microsecond after the model was trained."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    at = build.later() + company.DAY
    train(build, message, model_at=at)
    build.consent(b, False, at + 1)


@SCENARIOS.near_miss(messages=1, era=company.OPEN)
def granted_in_time(build: ScenarioBuilder) -> None:
    """Refuse consent, then grant it from the very instant of the shard."""
    a, b = build.member(ai=False), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    build.consent(a, False, build.later())
    at = build.later()
    build.consent(a, True, at)
    train(build, message, shard_at=at)


@SCENARIOS.near_miss(messages=1, era=company.OPEN)
def other_consent_withdrawn(build: ScenarioBuilder) -> None:
    """Withdraw another consent before training: that to third parties."""
    a, b = build.member(), build.member()
    message = build.send("DIRECT", a, b)
    build.curate(message)
    build.consent(a, False, build.later(), purpose="THIRD_PARTY")
    train(build, message)


@SCENARIOS.near_miss(messages=1, era=around(NOTICE))
def exemption_just_ended(build: ScenarioBuilder) -> None:
    """Merge an exempt region's message into the shard at the instant the exemption ends."""
    message = build.send(
        "DIRECT", build.member(), build.member(region=build.random_stream.pick(EXEMPT_REGIONS))
    )
    anonymise(build, message)
    build.at = NOTICE
    train(build, message, source=ANONYMISED, shard_at=NOTICE)


@SCENARIOS.near_miss(messages=1, era=around(DISCLOSED))
def disclosed_at_the_instant(build: ScenarioBuilder) -> None:
    """Merge a message into the shard at the instant of the disclosure."""
    message = build.direct()
    build.curate(message)
    build.at = DISCLOSED
    train(build, message, shard_at=DISCLOSED)


@SCENARIOS.near_miss(messages=1, era=company.AFTER_NOTICE)
def anonymised_model_shipped(build: ScenarioBuilder) -> None:
    """Export a model trained on an anonymised confidential InMail to a third party."""
    message = build.inmail()
    anonymise(build, message)
    model = train(build, message, source=ANONYMISED)
    build.move("EXPORT", MODEL, INSIGHTS, model)


@SCENARIOS.near_miss(messages=1, era=company.BEFORE_POLICY)
def trained_before_any_policy(build: ScenarioBuilder) -> None:
    """Train on a message under the built-in policy, which counts as disclosed at all times."""
    message = build.direct()
    build.curate(message)
    train(build, message)


@SCENARIOS.near_miss(messages=1)
def export_corrected(build: ScenarioBuilder) -> None:
    """Log the export again under its id with a first party as target; this copy counts."""
    message = build.inmail()
    build.curate(message)
    build.move("EXPORT", CURATED, INSIGHTS, message, carries=())
    build.contradict(SEARCH, wins=True, carries=[message])

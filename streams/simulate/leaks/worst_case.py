"""Plants of the worst mix: one message of two parties, three hops of one record each.

Each function is a recipe, as in `exports`: COPY, TRANSFORM and EXPORT, every record keeps its id.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Recipes
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, PAYING, Planter
from streams.simulate.world import company
from streams.simulate.world.company import (
    ANONYMISED,
    ARCHIVE,
    ASSISTANT_CORPUS,
    BEFORE_DISCLOSURE,
    CONFIDENTIAL_TRAINING,
    CURATED,
    EXEMPT_TRAINING,
    INSIGHTS,
    ORIGIN,
    PARTNER,
    PARTNER_SOLD,
    PRIVATE_TRAINING,
    RAW,
    SCRATCH,
    THIRD_PARTY,
    UNDECLARED,
    WITHOUT_CONSENT,
)

RECIPES = Recipes()


@RECIPES.leak(messages=1)
def straight_export(p: Planter) -> None:
    """A confidential InMail is exported."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def laundered_by_undeclared_dataset(p: Planter) -> None:
    """It goes to a third party by way of an undeclared dataset."""
    secret = p.inmail()
    p.move("COPY", ORIGIN, RAW, secret)
    p.move("TRANSFORM", RAW, SCRATCH, secret, breaks=[(UNDECLARED, secret)])
    p.move("EXPORT", SCRATCH, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.OPEN)
def consent_race(p: Planter) -> None:
    """Consent is withdrawn at the very instant of training, and the log says so later."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    at = p.later()
    p.consent(b, False, at, log_at=at + company.DAY)
    p.move("COPY", CURATED, ASSISTANT_CORPUS, message, at=at, breaks=[(WITHOUT_CONSENT, message)])


@RECIPES.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_too_weakly(p: Planter) -> None:
    """It is anonymised as only the policy before accepted."""
    secret = p.inmail()
    p.move("COPY", ORIGIN, RAW, secret)
    p.move("TRANSFORM", RAW, ANONYMISED, secret, k=company.NOTICE_POLICY.min_k - 1)
    p.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.OPEN)
def exempt_region(p: Planter) -> None:
    """A party in an exempt region trains."""
    message = p.send("DIRECT", p.member(region=p.draws.pick(EXEMPT_REGIONS)), p.member())
    p.curate(message)
    p.move("COPY", CURATED, ASSISTANT_CORPUS, message, breaks=[(EXEMPT_TRAINING, message)])


@RECIPES.leak(messages=1, era=company.UNDISCLOSED)
def before_disclosure(p: Planter) -> None:
    """A message trains before the policy is disclosed."""
    message = p.direct()
    p.curate(message)
    p.move("COPY", CURATED, ASSISTANT_CORPUS, message, breaks=[(BEFORE_DISCLOSURE, message)])


@RECIPES.leak(messages=1, era=company.AFTER_NOTICE)
def private_after_notice(p: Planter) -> None:
    """A confidential InMail trains after the notice that excludes private messages."""
    secret = p.inmail()
    p.curate(secret)
    broken = [(CONFIDENTIAL_TRAINING, secret), (PRIVATE_TRAINING, secret)]
    p.move("COPY", CURATED, ASSISTANT_CORPUS, secret, breaks=broken)


@RECIPES.leak(messages=1, era=company.Era(PARTNER_SOLD, company.END))
def partner_became_third_party(p: Planter) -> None:
    """It goes to a partner that became a third party."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, PARTNER, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.Era(company.START, company.ARCHIVE_DECLARED))
def declared_only_later(p: Planter) -> None:
    """It goes to a third party that is declared only later."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, ARCHIVE, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.near_miss(messages=1)
def direct_message_exported(p: Planter) -> None:
    """Paying members' direct message is exported."""
    message = p.send("DIRECT", p.member(p.draws.pick(PAYING)), p.member(p.draws.pick(PAYING)))
    p.curate(message)
    p.move("EXPORT", CURATED, INSIGHTS, message)


@RECIPES.near_miss(messages=1)
def free_inmail_exported(p: Planter) -> None:
    """An InMail between members who do not pay is exported."""
    message = p.send("INMAIL", p.member("FREE"), p.member("FREE"))
    p.curate(message)
    p.move("EXPORT", CURATED, INSIGHTS, message)


@RECIPES.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_just_enough(p: Planter) -> None:
    """It is anonymised by the very least that is accepted."""
    message = p.inmail()
    p.move("COPY", ORIGIN, RAW, message)
    at = p.later()
    p.move("TRANSFORM", RAW, ANONYMISED, message, k=company.policy_at(at).min_k, at=at)
    p.move("EXPORT", ANONYMISED, INSIGHTS, message)


@RECIPES.near_miss(messages=1)
def exported_before_curated(p: Planter) -> None:
    """The export is a microsecond earlier than the hop that brought it there."""
    message = p.inmail()
    p.move("COPY", ORIGIN, RAW, message)
    at = p.later()
    p.move("EXPORT", CURATED, INSIGHTS, message, carries=(), at=at)
    p.move("TRANSFORM", RAW, CURATED, message, at=at + 1)


@RECIPES.near_miss(messages=1, era=company.OPEN)
def withdrawn_after_training(p: Planter) -> None:
    """Consent is withdrawn a microsecond after training."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    at = p.later()
    p.move("COPY", CURATED, ASSISTANT_CORPUS, message, at=at)
    p.consent(a, False, at + 1)


@RECIPES.near_miss(messages=1, era=company.Era(company.START, PARTNER_SOLD))
def partner_still_first_party(p: Planter) -> None:
    """It goes to a partner that becomes a third party only later."""
    message = p.inmail()
    p.curate(message)
    p.move("EXPORT", CURATED, PARTNER, message)

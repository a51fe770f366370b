"""Near misses: what looks like a leak, and no rule is broken.

Each function is a recipe, as in `exports`, and none of its hops breaks anything.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Recipes, around
from streams.simulate.leaks.scenario_builder import EXEMPT_REGIONS, PAYING, Planter
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

RECIPES = Recipes()


@RECIPES.near_miss(messages=2)
def direct_message_exported(p: Planter) -> None:
    """Paying members' direct and group messages are exported, twice in the log."""
    paying = [p.member(p.draws.pick(PAYING)) for _ in range(6)]
    messages = p.send("DIRECT", *paying[:2]), p.send("GROUP", *paying)
    p.curate(*messages)
    p.move("EXPORT", CURATED, INSIGHTS, *messages)
    p.again(events.RECORDS_MOVED)


@RECIPES.near_miss(messages=1)
def free_inmail_exported(p: Planter) -> None:
    """An InMail between members who do not pay is exported."""
    message = p.send("INMAIL", p.member("FREE"), p.member("FREE"))
    p.curate(message)
    p.move("EXPORT", CURATED, TRANSLATION, message)


@RECIPES.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_just_enough(p: Planter) -> None:
    """A confidential InMail is anonymised by the very least that is accepted, then exported."""
    message = p.inmail()
    p.curate(message)
    at = p.later()
    p.move("ANONYMIZE", CURATED, ANONYMISED, message, k=company.policy_at(at).min_k, at=at)
    p.move("EXPORT", ANONYMISED, INSIGHTS, message)


@RECIPES.near_miss(messages=1, era=around(NOTICE))
def anonymised_before_notice(p: Planter) -> None:
    """It is anonymised as was accepted a microsecond before the notice, and exported after."""
    message = p.inmail()
    p.curate(message)
    k = company.DEFAULT_ON_POLICY.min_k
    p.move("ANONYMIZE", CURATED, ANONYMISED, message, k=k, at=NOTICE - 1)
    p.at = NOTICE
    p.move("EXPORT", ANONYMISED, INSIGHTS, message)


@RECIPES.near_miss(messages=1, era=company.WITH_POLICY)
def identifiable_after_export(p: Planter) -> None:
    """A record holds it in both forms, the identifiable one only since the export."""
    message = p.inmail()
    anonymise(p, message)
    at = p.later()
    p.move("EXPORT", ANONYMISED, INSIGHTS, message, at=at)
    p.move("COPY", CURATED, ANONYMISED, message, at=at + 1)


@RECIPES.near_miss(messages=2)
def entered_after_export(p: Planter) -> None:
    """A confidential InMail enters a record a microsecond after the record was exported."""
    other, late = p.direct(), p.inmail()
    p.curate(other, late)
    record = p.merge("AGGREGATE", CURATED, FEATURES, other)
    at = p.later()
    p.move("EXPORT", FEATURES, INSIGHTS, record, at=at)
    p.move("AGGREGATE", CURATED, FEATURES, late, outputs=[record.record_id], at=at + 1)


@RECIPES.near_miss(messages=1)
def exported_before_sent(p: Planter) -> None:
    """An export names a confidential InMail that was sent, and came there, only afterwards."""
    at = p.later()
    message = p.inmail()
    p.move("EXPORT", CURATED, INSIGHTS, message, carries=(), at=at)
    p.curate(message)


@RECIPES.near_miss(messages=1)
def same_id_elsewhere(p: Planter) -> None:
    """An export names its id in a dataset that it is not in."""
    message = p.inmail()
    p.curate(message)
    p.move("EXPORT", EMBEDDINGS, INSIGHTS, message, carries=())


@RECIPES.near_miss(messages=1)
def read_at_home(p: Planter) -> None:
    """A first party reads it."""
    message = p.inmail()
    p.curate(message)
    p.move("READ", CURATED, REVIEW, message)


@RECIPES.near_miss(messages=1)
def open_message_undeclared(p: Planter) -> None:
    """A direct message goes where nobody declared a dataset."""
    message = p.direct()
    p.curate(message)
    p.move("COPY", CURATED, SCRATCH, message)


@RECIPES.near_miss(messages=1, era=company.WITH_POLICY)
def anonymised_undeclared(p: Planter) -> None:
    """A confidential InMail, anonymised, goes where nobody declared a dataset."""
    message = p.inmail()
    anonymise(p, message)
    p.move("COPY", ANONYMISED, SCRATCH, message)


@RECIPES.near_miss(messages=1, era=company.Era(company.START, PARTNER_SOLD))
def partner_still_first_party(p: Planter) -> None:
    """It goes to a partner that becomes a third party only later."""
    message = p.inmail()
    p.curate(message)
    p.move("EXPORT", CURATED, PARTNER, message)


@RECIPES.near_miss(messages=1, era=around(PARTNER_SOLD))
def partner_just_before(p: Planter) -> None:
    """It goes to the partner a microsecond before that."""
    message = p.inmail()
    p.curate(message)
    p.move("EXPORT", CURATED, PARTNER, message, at=PARTNER_SOLD - 1)


@RECIPES.near_miss(messages=1, era=company.OPEN)
def withdrawn_after_training(p: Planter) -> None:
    """Consent is withdrawn a microsecond after the model was trained."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    at = p.later() + company.DAY
    train(p, message, model_at=at)
    p.consent(b, False, at + 1)


@RECIPES.near_miss(messages=1, era=company.OPEN)
def granted_in_time(p: Planter) -> None:
    """A refusal is followed by a grant, from the very instant of the shard."""
    a, b = p.member(ai=False), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    p.consent(a, False, p.later())
    at = p.later()
    p.consent(a, True, at)
    train(p, message, shard_at=at)


@RECIPES.near_miss(messages=1, era=company.OPEN)
def other_consent_withdrawn(p: Planter) -> None:
    """What is withdrawn before training is the consent to third parties."""
    a, b = p.member(), p.member()
    message = p.send("DIRECT", a, b)
    p.curate(message)
    p.consent(a, False, p.later(), purpose="THIRD_PARTY")
    train(p, message)


@RECIPES.near_miss(messages=1, era=around(NOTICE))
def exemption_just_ended(p: Planter) -> None:
    """An exempt region's message enters the shard at the instant at which the exemption ends."""
    message = p.send("DIRECT", p.member(), p.member(region=p.draws.pick(EXEMPT_REGIONS)))
    anonymise(p, message)
    p.at = NOTICE
    train(p, message, source=ANONYMISED, shard_at=NOTICE)


@RECIPES.near_miss(messages=1, era=around(DISCLOSED))
def disclosed_at_the_instant(p: Planter) -> None:
    """A message enters the shard at the instant of the disclosure."""
    message = p.direct()
    p.curate(message)
    p.at = DISCLOSED
    train(p, message, shard_at=DISCLOSED)


@RECIPES.near_miss(messages=1, era=company.AFTER_NOTICE)
def anonymised_model_shipped(p: Planter) -> None:
    """A model trained on an anonymised confidential InMail goes to a third party."""
    message = p.inmail()
    anonymise(p, message)
    model = train(p, message, source=ANONYMISED)
    p.move("EXPORT", MODEL, INSIGHTS, model)


@RECIPES.near_miss(messages=1, era=company.BEFORE_POLICY)
def trained_before_any_policy(p: Planter) -> None:
    """A message trains while the built-in policy holds, which counts as disclosed since ever."""
    message = p.direct()
    p.curate(message)
    train(p, message)


@RECIPES.near_miss(messages=1)
def export_corrected(p: Planter) -> None:
    """The export comes again under its id with a target at home, and this copy counts."""
    message = p.inmail()
    p.curate(message)
    p.move("EXPORT", CURATED, INSIGHTS, message, carries=())
    p.contradict(SEARCH, wins=True, carries=[message])

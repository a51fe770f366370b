"""Leaks to third parties and out of sight: what must be flagged wherever it came from.

Each function is a recipe: it plants one leak, and names every rule that each of its hops
breaks. `training` has those that go into training.
"""

from __future__ import annotations

from streams.simulate.leaks.scenario import Recipes, around
from streams.simulate.leaks.scenario_builder import Planter, Record
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

RECIPES = Recipes()


@RECIPES.leak(messages=4)
def straight_export(p: Planter) -> None:
    """A confidential InMail is exported among messages that may go."""
    secret = p.inmail()
    free = p.send("INMAIL", p.member("FREE"), p.member("FREE"))
    others = (p.direct(), p.direct(), free)
    p.curate(secret, *others)
    p.move("EXPORT", CURATED, INSIGHTS, secret, *others, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=3)
def laundered_by_aggregate(p: Planter) -> None:
    """It is merged into a record with others, and the record is exported."""
    secret, others = p.inmail(), (p.direct(), p.direct())
    p.curate(secret, *others)
    merged = p.merge("AGGREGATE", CURATED, FEATURES, *others, secret)
    p.merge("EXPORT", FEATURES, INSIGHTS, merged, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def laundered_by_rekeying(p: Planter) -> None:
    """A copy under another id is exported."""
    secret = p.inmail()
    p.curate(secret)
    copy = p.merge("COPY", CURATED, REKEYED, secret)
    p.move("EXPORT", REKEYED, TRANSLATION, copy, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def laundered_by_embedding(p: Planter) -> None:
    """Its embedding is exported."""
    secret = p.inmail()
    p.curate(secret)
    vector = p.merge("EMBED", CURATED, EMBEDDINGS, secret)
    p.move("EXPORT", EMBEDDINGS, INSIGHTS, vector, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=2)
def undeclared_dataset(p: Planter) -> None:
    """It is dumped where nobody declared a dataset, beside a message that is no secret."""
    secret, other = p.inmail(), p.direct()
    p.curate(secret, other)
    p.move("COPY", CURATED, SCRATCH, secret, other, breaks=[(UNDECLARED, secret)])


@RECIPES.leak(messages=1)
def laundered_by_undeclared_dataset(p: Planter) -> None:
    """It is exported from an undeclared dataset: a flag there, and one at the third party."""
    secret = p.inmail()
    p.curate(secret)
    p.move("COPY", CURATED, SCRATCH, secret, breaks=[(UNDECLARED, secret)])
    p.move("EXPORT", SCRATCH, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.AFTER_NOTICE)
def anonymised_too_weakly(p: Planter) -> None:
    """It is anonymised as the policy before accepted, and the one in force does not."""
    secret = p.inmail()
    p.curate(secret)
    before, now = company.DEFAULT_ON_POLICY.min_k, company.NOTICE_POLICY.min_k
    p.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=before + p.draws.below(now - before))
    p.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=around(NOTICE))
def anonymised_as_policy_changed(p: Planter) -> None:
    """It is anonymised as accepted until then, at the very instant of the new policy."""
    secret = p.inmail()
    p.curate(secret)
    p.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=company.NOTICE_POLICY.min_k - 1, at=NOTICE)
    p.at = NOTICE
    p.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.BEFORE_POLICY)
def anonymised_under_no_policy(p: Planter) -> None:
    """It is anonymised well, while the built-in policy holds, which accepts no method."""
    secret = p.inmail()
    p.curate(secret)
    p.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=1000)
    p.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.WITH_POLICY)
def both_forms_in_one_record(p: Planter) -> None:
    """It is anonymised, then joined as it was into the same record."""
    secret = p.inmail()
    p.curate(secret)
    p.move("ANONYMIZE", CURATED, ANONYMISED, secret, k=100)
    p.move("JOIN", CURATED, ANONYMISED, secret)
    p.move("EXPORT", ANONYMISED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=around(NOTICE))
def exported_under_two_policies(p: Planter) -> None:
    """It is exported before and after a policy changes: one flag, the first policy's."""
    secret = p.inmail()
    p.curate(secret)
    for at in (NOTICE - 1, NOTICE):
        p.move("EXPORT", CURATED, INSIGHTS, secret, at=at, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def exported_after_a_cycle(p: Planter) -> None:
    """It goes in a circle between two tables, and is exported twice."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])
    p.move("COPY", CURATED, RAW, secret)
    p.move("TRANSFORM", RAW, CURATED, secret)
    p.move("EXPORT", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def exported_in_two_records(p: Planter) -> None:
    """One hop writes it into two records of the third party: one flag, two arrivals."""
    secret = p.inmail()
    p.curate(secret)
    outputs = [ids.one_uuid7(p.at, p.draws) for _ in range(2)]
    p.move("EXPORT", CURATED, INSIGHTS, secret, outputs=outputs, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.Era(PARTNER_SOLD, company.END))
def partner_became_third_party(p: Planter) -> None:
    """It goes to a partner that is no first party any more, as the log says a month later."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, PARTNER, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=around(PARTNER_SOLD))
def partner_at_its_last_instant(p: Planter) -> None:
    """It goes to the partner at the very instant at which the new declaration holds."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, PARTNER, secret, at=PARTNER_SOLD, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1, era=company.Era(company.START, company.ARCHIVE_DECLARED))
def declared_only_later(p: Planter) -> None:
    """It goes to a third party that is declared only later; its earliest declaration counts."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, ARCHIVE, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def read_by_third_party(p: Planter) -> None:
    """A third party reads it: no export, and all the same it is there."""
    secret = p.inmail()
    p.curate(secret)
    p.move("READ", CURATED, TRANSLATION, secret, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=2)
def entered_as_exported(p: Planter) -> None:
    """It enters a record at the very instant at which the record is exported."""
    other, secret = p.direct(), p.inmail()
    p.curate(other, secret)
    record = p.merge("AGGREGATE", CURATED, FEATURES, other)
    at = p.later()
    p.move("AGGREGATE", CURATED, FEATURES, secret, outputs=[record.record_id], at=at)
    both = Record(record.record_id, record.messages + secret.messages)
    p.move("EXPORT", FEATURES, INSIGHTS, both, at=at, breaks=[(THIRD_PARTY, secret)])


@RECIPES.leak(messages=1)
def hop_late_in_log(p: Planter) -> None:
    """The hop that brought it there comes in the log after its export; both come twice."""
    secret = p.inmail()
    p.move("COPY", company.ORIGIN, RAW, secret)
    at = p.later()
    p.move("TRANSFORM", RAW, CURATED, secret, at=at, log_at=at + 2 * company.DAY)
    p.again(events.RECORDS_MOVED)
    p.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])
    p.again(events.RECORDS_MOVED)


@RECIPES.leak(messages=1)
def export_denied(p: Planter) -> None:
    """The export comes again under its id with another target, and the first copy counts."""
    secret = p.inmail()
    p.curate(secret)
    p.move("EXPORT", CURATED, INSIGHTS, secret, breaks=[(THIRD_PARTY, secret)])
    p.contradict(SEARCH, wins=False)

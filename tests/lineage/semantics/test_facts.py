"""Points 5 and 6: every fact as of the arrival's own instant."""

import pytest

from tests.lineage.events.builders import at, consent, declared, hop, message, party, policy
from tests.lineage.semantics.conftest import Judge
from tests.lineage.semantics.reference_log import instant
from tests.samples import sampled

EXEMPT = ("AT", "SE", "IS", "LI", "NO", "GB", "CH", "CA", "HK", "CN")
PAIR = [party("SENDER", "ann"), party("RECIPIENT", "bob")]


def test_without_a_policy_the_built_in_one_holds_disclosed_since_ever(judge: Judge) -> None:
    found = judge(message(sent_at="1970-01-01T00:00:00Z"))
    assert found.fact("policy_id", None) == "built-in"
    assert found.fact("disclosed", None) is True


def test_the_latest_policy_by_then_holds(judge: Judge) -> None:
    found = judge(
        message(sent_at=at(1)),
        policy("old", effective_at=at(2)),
        policy("new", effective_at=at(4)),
        hop("h2", "inbox", "lake", moved_at=at(2)),
        hop("h3", "inbox", "lake", moved_at=at(3)),
        hop("h4", "inbox", "lake", moved_at=at(4)),
    )
    held = {hop_id: found.fact("policy_id", hop_id) for hop_id in (None, "h2", "h3", "h4")}
    assert held == {None: "built-in", "h2": "old", "h3": "old", "h4": "new"}


@pytest.mark.parametrize(
    ("smaller", "greater"),
    [("p1", "p2"), ("p", "p1"), ("P", "p"), ("z", "é"), ("\uff5e", "\U0001f600")],
)
def test_of_policies_of_one_instant_the_greater_id_holds(
    judge: Judge, smaller: str, greater: str
) -> None:
    found = judge(
        message(sent_at=at(1)),
        policy(smaller, effective_at=at(0)),
        policy(greater, effective_at=at(0), disclosed_at=at(0)),
    )
    assert found.fact("policy_id", None) == greater
    assert found.fact("disclosed", None) is True


def test_disclosed_from_its_instant_on_or_never(judge: Judge) -> None:
    found = judge(
        message(sent_at=at(1)),
        policy("p", effective_at=at(0), disclosed_at=at(2)),
        policy("q", effective_at=at(3)),
        hop("at", "inbox", "lake", moved_at=at(2)),
        hop("never", "inbox", "lake", moved_at=at(3)),
    )
    assert {hop_id: found.fact("disclosed", hop_id) for hop_id in (None, "at", "never")} == {
        None: False,
        "at": True,
        "never": False,
    }


def test_confidential_is_inmail_with_any_party_on_a_paying_tier(judge: Judge) -> None:
    paying_recipient = [PAIR[0], PAIR[1], party("RECIPIENT", "cy", tier="RECRUITER")]

    def confidential(channel: str, parties: list[dict[str, object]]) -> object:
        return judge(message(channel=channel, parties=parties)).fact("confidential", None)

    assert confidential("INMAIL", paying_recipient) is True
    assert confidential("INMAIL", PAIR) is False
    assert confidential("DIRECT", paying_recipient) is False
    assert confidential("GROUP", paying_recipient) is False


def test_paying_tiers_and_exempt_regions_are_the_policys(judge: Judge) -> None:
    found = judge(
        message(parties=[PAIR[0], party("RECIPIENT", "bo", region="DE")], sent_at=at(0)),
        policy("p", effective_at=at(1), paying_tiers=["FREE"], exempt_regions=["BR"]),
        hop("h", "inbox", "lake", moved_at=at(1)),
    )
    assert found.fact("confidential", None) is False
    assert found.fact("exempt_region", None) is True
    assert found.fact("confidential", "h") is True
    assert found.fact("exempt_region", "h") is False


@pytest.mark.parametrize(
    ("region", "exempt"),
    [
        ("US", False),
        *sampled([(one, True) for one in EXEMPT], 5),
    ],
)
def test_regions_that_the_built_in_policy_exempts(judge: Judge, region: str, exempt: bool) -> None:
    found = judge(message(parties=[party("SENDER", "ann", region=region), PAIR[1]]))
    assert found.fact("exempt_region", None) is exempt


def test_an_undeclared_dataset_has_no_kind_party_or_recipient(judge: Judge) -> None:
    found = judge(message(), declared("d", "elsewhere"))
    names = ("declared", "kind", "party", "recipient")
    assert [found.fact(name, None) for name in names] == [False, None, None, None]


def test_the_earliest_declaration_holds_before_itself(judge: Judge) -> None:
    found = judge(
        message(sent_at=at(0)),
        declared("d2", "inbox", "MODEL", declared_at=at(7)),
        declared("d1", "inbox", "TOPIC", declared_at=at(5)),
    )
    assert found.fact("declared", None) is True
    assert found.fact("kind", None) == "TOPIC"


def test_the_latest_declaration_by_then_holds_whole(judge: Judge) -> None:
    """Its null recipient too: nothing is carried over from the declaration before."""
    found = judge(
        message(sent_at=at(0)),
        declared("d1", "sink", "SINK", "THIRD", "Acme", declared_at=at(1)),
        declared("d2", "sink", "TABLE", "FIRST", None, declared_at=at(3)),
        hop("h2", "inbox", "sink", moved_at=at(2)),
        hop("h3", "inbox", "sink", moved_at=at(3)),
    )
    names = ("kind", "party", "recipient")
    assert [found.fact(name, "h2") for name in names] == ["SINK", "THIRD", "Acme"]
    assert [found.fact(name, "h3") for name in names] == ["TABLE", "FIRST", None]


def test_of_declarations_of_one_instant_the_greater_id_holds_and_before_them_the_smaller(
    judge: Judge,
) -> None:
    found = judge(
        message(sent_at=at(0)),
        declared("d1", "inbox", "TOPIC", declared_at=at(1)),
        declared("d2", "inbox", "MODEL", declared_at=at(1)),
        declared("d10", "inbox", "TABLE", declared_at=at(1)),
        hop("h", "inbox", "inbox", moved_at=at(1)),
    )
    assert found.fact("kind", None) == "TOPIC"
    assert found.fact("kind", "h") == "MODEL"


def test_without_a_change_the_tag_on_the_message_speaks(judge: Judge) -> None:
    tagged = [party("SENDER", "ann", ai=False), party("RECIPIENT", "bob", third=True)]
    found = judge(message(parties=tagged))
    assert found.fact("ai_training_consent", None) is False
    assert found.fact("third_party_consent", None) is True


def test_the_latest_change_by_then_speaks_for_its_own_purpose_only(judge: Judge) -> None:
    found = judge(
        message(parties=PAIR, sent_at=at(0)),
        consent("c1", "ann", granted=False, effective_at=at(1)),
        consent("c2", "ann", granted=True, effective_at=at(3)),
        consent("c3", "ann", granted=False, effective_at=at(5), purpose="THIRD_PARTY"),
        *(hop(f"h{n}", "inbox", "lake", moved_at=at(n)) for n in (1, 2, 3, 5)),
    )
    times = (None, "h1", "h2", "h3", "h5")
    assert [found.fact("ai_training_consent", one) for one in times] == [
        *(True, False, False, True, True)
    ]
    assert [found.fact("third_party_consent", one) for one in times] == [
        *(True, True, True, True, False)
    ]


@pytest.mark.parametrize(("grant", "refusal"), [("c1", "c2"), ("c2", "c1")])
def test_a_refusal_wins_a_tie(judge: Judge, grant: str, refusal: str) -> None:
    found = judge(
        message(parties=PAIR, sent_at=at(5)),
        consent(grant, "ann", granted=True),
        consent(refusal, "ann", granted=False),
    )
    assert found.fact("ai_training_consent", None) is False


def test_a_later_grant_outweighs_an_earlier_refusal(judge: Judge) -> None:
    found = judge(
        message(parties=PAIR, sent_at=at(5)),
        consent("c1", "ann", granted=False, effective_at=at(4)),
        consent("c2", "ann", granted=True, effective_at=at(4, 1)),
    )
    assert found.fact("ai_training_consent", None) is True


def test_a_message_has_consent_only_if_every_party_has(judge: Judge) -> None:
    refusing = [party("SENDER", "ann", ai=False), party("RECIPIENT", "bob", ai=False)]

    def consents(*changes: dict[str, object]) -> object:
        found = judge(message(parties=refusing, sent_at=at(9)), *changes)
        return found.fact("ai_training_consent", None)

    ann = consent("c1", "ann", granted=True)
    bob = consent("c2", "bob", granted=True)
    assert consents(ann) is False
    assert consents(bob) is False
    assert consents(ann, bob) is True


def test_a_member_who_is_twice_a_party_is_judged_twice(judge: Judge) -> None:
    """Without a change each of the two tags counts; a change speaks for both."""
    to_self = [party("SENDER", "ann", ai=True), party("RECIPIENT", "ann", ai=False)]
    granted = consent("c", "ann", granted=True, effective_at=at(0))
    assert judge(message(parties=to_self)).fact("ai_training_consent", None) is False
    assert judge(message(parties=to_self), granted).fact("ai_training_consent", None) is True


def test_facts_name_the_arrival(judge: Judge) -> None:
    found = judge(
        message("m", channel="DIRECT"),
        hop("h", "inbox", "lake", ["m"], ["x"], operation="EMBED", moved_at=at(2)),
    )
    names = ("message_id", "channel", "dataset", "operation", "identifiable", "arrived_at")
    assert [found.fact(name, "h") for name in (*names, "record_id")] == [
        *("m", "DIRECT", "lake", "EMBED", True, instant(at(2)), "x")
    ]
    assert found.fact("operation", None) == "SEND"

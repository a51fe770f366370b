"""Point 7: rules broken, and what a flag says. Point 1 and 8: what comes late or again."""

from typing import Any

from tests.lineage.events.builders import at, consent, declared, hop, message, party, policy
from tests.lineage.semantics.conftest import Judge
from tests.lineage.semantics.reference_log import canonical, instant, sha256_of

LEAK = "confidential-inmail-to-third-party"
UNDECLARED = "confidential-inmail-to-undeclared-dataset"


def test_confidential_inmail_that_reaches_a_third_party_is_flagged(judge: Judge) -> None:
    found = judge(
        declared("d1", "inbox", "TOPIC"),
        declared("d2", "sink", "SINK", "THIRD", "Acme"),
        message("m"),
        hop("h", "inbox", "sink", moved_at=at(2), operation="EXPORT"),
    )
    assert found.flags == {
        (LEAK, "CRITICAL", "m", "sink", "built-in", instant(at(2)), instant(at(2)), 1, "h")
    }


def test_the_built_in_rules_on_a_corpus_that_nobody_should_have_fed(judge: Judge) -> None:
    parties = [
        party("SENDER", "a", tier="RECRUITER", region="DE", ai=False),
        party("RECIPIENT", "b"),
    ]
    found = judge(
        declared("d1", "inbox", "TOPIC"),
        declared("d2", "corpus", "TRAINING_CORPUS"),
        message("m", parties=parties),
        hop("h", "inbox", "corpus"),
        hop("h2", "inbox", "nowhere"),
    )
    assert {(row[0], row[1], row[3]) for row in found.flags} == {
        ("confidential-inmail-in-ai-training", "HIGH", "corpus"),
        ("exempt-region-in-ai-training", "HIGH", "corpus"),
        ("ai-training-without-consent", "HIGH", "corpus"),
        (UNDECLARED, "HIGH", "nowhere"),
    }


def test_the_origin_is_judged_too(judge: Judge) -> None:
    found = judge(message("m", sent_at=at(1)))
    flag = found.flag(UNDECLARED, "inbox")
    assert flag is not None
    assert (flag["first_at"], flag["first_hop"], flag["arrivals"]) == (instant(at(1)), None, 1)


def test_null_is_not_broken(judge: Judge) -> None:
    rules = [("r", "LOW", "party = 'THIRD'"), ("s", "LOW", "not (party = 'THIRD')")]
    found = judge(policy("p", rules), message("m"))
    assert found.flags == set()


def test_only_the_rules_of_the_policy_as_of_the_arrival_judge_it(judge: Judge) -> None:
    found = judge(
        policy("p", [("r", "LOW", "true")], effective_at=at(1)),
        policy("q", [("s", "LOW", "true")], effective_at=at(2)),
        message("m", sent_at=at(1)),
        hop("h", "inbox", "lake", moved_at=at(2)),
    )
    assert found.flagged() == {("r", "inbox"), ("s", "lake")}


def test_a_flag_counts_its_arrivals_and_spans_their_instants(judge: Judge) -> None:
    found = judge(
        policy("p", [("r", "LOW", "operation <> 'READ'")]),
        message("m", sent_at=at(0)),
        hop("h1", "inbox", "lake", ["m"], ["x", "y"], moved_at=at(1)),
        hop("h2", "inbox", "lake", ["m"], ["x"], moved_at=at(3)),
        hop("h3", "inbox", "lake", ["m"], ["x"], moved_at=at(4), operation="READ"),
    )
    flag = found.flag("r", "lake")
    assert flag is not None
    assert (flag["first_at"], flag["last_at"]) == (instant(at(1)), instant(at(3)))
    assert (flag["arrivals"], flag["first_hop"]) == (3, "h1")


def test_policy_and_severity_are_those_of_the_first_arrival(judge: Judge) -> None:
    found = judge(
        policy("q", [("r", "CRITICAL", "true")], effective_at=at(0)),
        policy("p", [("r", "LOW", "true")], effective_at=at(5)),
        message("m", sent_at=at(0)),
        hop("h1", "inbox", "lake", moved_at=at(6)),
        hop("h2", "inbox", "lake", moved_at=at(4)),
    )
    flag = found.flag("r", "lake")
    assert flag is not None
    assert (flag["severity"], flag["policy_id"]) == ("CRITICAL", "q")
    assert (flag["first_hop"], flag["arrivals"]) == ("h2", 2)


def test_the_first_arrival_is_the_first_that_broke_the_rule(judge: Judge) -> None:
    found = judge(
        policy("p", [("r", "LOW", "operation = 'EXPORT'")]),
        message("m", sent_at=at(0)),
        hop("h1", "inbox", "inbox", moved_at=at(1)),
        hop("h2", "inbox", "inbox", moved_at=at(2), operation="EXPORT"),
    )
    flag = found.flag("r", "inbox")
    assert flag is not None
    assert (flag["first_hop"], flag["first_at"]) == ("h2", instant(at(2)))


def test_of_first_arrivals_of_one_instant_the_smaller_hop_id_is_first(judge: Judge) -> None:
    found = judge(
        policy("p", [("r", "LOW", "true")]),
        message("m"),
        *(hop(one, "inbox", "lake") for one in ("h2", "h10", "h9", "H", "é")),
    )
    flag = found.flag("r", "lake")
    assert flag is not None
    assert (flag["first_hop"], flag["arrivals"]) == ("H", 5)


def test_of_first_arrivals_of_one_instant_the_origin_is_first(judge: Judge) -> None:
    found = judge(
        policy("p", [("r", "LOW", "true")]),
        message("m", sent_at=at(5)),
        hop(" ", "inbox", "inbox", moved_at=at(5)),
    )
    flag = found.flag("r", "inbox")
    assert flag is not None
    assert (flag["first_hop"], flag["arrivals"]) == (None, 2)


def test_rules_about_one_message_or_one_instant_judge_each_arrival(judge: Judge) -> None:
    rules = [
        ("id", "LOW", "message_id = 'n'"),
        ("time", "LOW", f"arrived_at = '{instant(at(2))}'"),
    ]
    found = judge(
        policy("p", rules),
        message("m", sent_at=at(1)),
        message("n", sent_at=at(2)),
        message("o", sent_at=at(2)),
    )
    assert {(row[0], row[2]) for row in found.flags} == {("id", "n"), ("time", "n"), ("time", "o")}


def test_a_late_consent_clears_a_flag_from_its_instant_on(judge: Judge) -> None:
    refusing = [party("SENDER", "ann", ai=False), party("RECIPIENT", "bob")]
    fed = [
        declared("d", "corpus", "TRAINING_CORPUS"),
        declared("i", "inbox"),
        message("m", parties=refusing),
        hop("h1", "inbox", "corpus", moved_at=at(1)),
        hop("h2", "inbox", "corpus", moved_at=at(3)),
    ]
    rule = "ai-training-without-consent"
    before = judge(*fed).flag(rule, "corpus")
    between = judge(*fed, consent("c", granted=True, effective_at=at(2))).flag(rule, "corpus")
    after = judge(*fed, consent("c", granted=True, effective_at=at(1))).flag(rule, "corpus")
    assert before is not None
    assert before["arrivals"] == 2
    assert between is not None
    assert (between["arrivals"], between["last_at"]) == (1, instant(at(1)))
    assert after is None


def test_a_late_declaration_clears_undeclared_and_flags_the_third_party(judge: Judge) -> None:
    moved = [declared("i", "inbox"), message("m"), hop("h", "inbox", "sink")]
    assert judge(*moved).flagged() == {(UNDECLARED, "sink")}
    late = declared("s", "sink", "SINK", "THIRD", "Acme", declared_at=at(99))
    assert judge(*moved, late).flagged() == {(LEAK, "sink")}


def test_a_late_policy_that_declassifies_retracts_what_it_makes_safe(judge: Judge) -> None:
    rules = [("leak", "CRITICAL", "identifiable and dataset = 'sink'")]
    moved = [
        message("m", sent_at=at(0)),
        policy("old", rules, effective_at=at(0)),
        hop("safe", "inbox", "lake", moved_at=at(2), declassification=("k-anonymity", 50)),
        hop("export", "lake", "sink", moved_at=at(9)),
    ]
    accepting = policy("new", rules, effective_at=at(1), declassification=[("k-anonymity", 50)])
    assert judge(*moved).flagged() == {("leak", "sink")}
    safe = judge(*moved, accepting)
    assert safe.identifiable("sink") == {("export", "m", False)}
    assert safe.flags == set()


def smaller_first(one: dict[str, Any], other: dict[str, Any]) -> tuple[Any, Any]:
    """The two variants: the one whose SHA-256 is smaller, which counts, then the other."""
    return (one, other) if sha256_of(one) < sha256_of(other) else (other, one)


def test_the_smaller_sha256_counts_whichever_came_first(judge: Judge) -> None:
    counts, loser = smaller_first(hop("h", "inbox", "lake"), hop("h", "inbox", "sink"))
    found = judge(message("m"), loser, counts)
    assert {row[2] for row in found.arrivals if row[1]} == {counts["target"]}
    assert found.conflicts == {
        ("RecordsMoved", "h", sha256_of(one), canonical(one).decode(), one is counts)
        for one in (counts, loser)
    }


def test_what_a_loser_had_carried_on_is_retracted_with_it(judge: Judge) -> None:
    counts, loser = smaller_first(message("m", dataset="inbox"), message("m", dataset="outbox"))
    onward = [
        hop("h1", loser["dataset"], "lake", moved_at=at(1)),
        hop("h2", "lake", "sink", moved_at=at(2)),
        hop("h3", "sink", "lake", moved_at=at(2)),
    ]
    assert judge(loser, *onward, counts).places() == {("m", counts["dataset"], "m")}


def test_a_copy_written_otherwise_is_no_conflict(judge: Judge) -> None:
    one = hop("h", "inbox", "lake", ["m", "n"], moved_at="2024-09-18T00:00:00Z")
    same = {**one, "moved_at": "2024-09-18T02:00:00.000+02:00", "inputs": ["n", "m", "n"]}
    del same["declassification"]
    same["note"] = "a field that the schema does not know"
    assert judge(message("m", sent_at=at(0)), one, same).conflicts == set()


def test_parties_in_another_order_are_other_content(judge: Judge) -> None:
    """They are an array, not a set: who counts is still only a matter of the SHA-256."""
    parties = [party("SENDER", "ann"), party("RECIPIENT", "bob")]
    found = judge(message("m", parties=parties), message("m", parties=parties[::-1]))
    assert len(found.conflicts) == 2


def test_one_id_in_two_event_types_is_no_conflict(judge: Judge) -> None:
    found = judge(
        message("x"),
        hop("x", "inbox", "x", ["x"]),
        consent("x", "x", granted=True),
        declared("x", "x"),
        policy("x"),
    )
    assert found.conflicts == set()
    assert found.places() == {("x", "inbox", "x"), ("x", "x", "x")}
